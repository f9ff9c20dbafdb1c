"""Start the worker: ``python -m download_worker``."""

from dj_servicekit.logs import configure_logging, log
from dj_servicekit.settings import load_settings
from download_worker.settings import Settings
from download_worker.worker import run_worker

if __name__ == "__main__":
    settings = load_settings(Settings)
    configure_logging("download-worker", level=settings.log_level, as_json=settings.log_json)
    run_worker(settings)
    log.info("worker_stopped")
