"""Start the bridge: ``python -m download_worker.bridge``."""

import signal
import sys

from dj_servicekit.logs import configure_logging, log
from dj_servicekit.settings import load_settings
from download_worker.bridge.run import run_bridge
from download_worker.settings import Settings

if __name__ == "__main__":
    settings = load_settings(Settings)
    configure_logging("download-bridge", level=settings.log_level, as_json=settings.log_json)
    # Wherever it stops, a push stands in a list, so it may stop anywhere.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    log.info("bridge_started")
    run_bridge(settings)
