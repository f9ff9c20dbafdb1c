"""``python -m essentia_api``."""

from dj_servicekit.http import serve
from dj_servicekit.logs import configure_logging
from dj_servicekit.settings import load_settings
from essentia_api.main import SERVICE, create_app
from essentia_api.settings import Settings

if __name__ == "__main__":
    settings = load_settings(Settings)
    configure_logging(SERVICE, level=settings.log_level, as_json=settings.log_json)
    serve(create_app(settings), host=settings.host, port=settings.port)
