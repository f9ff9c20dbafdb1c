"""``python -m ga_service``."""

from dj_servicekit.http import serve
from dj_servicekit.logs import configure_logging
from dj_servicekit.settings import load_settings
from ga_service.main import SERVICE, create_app
from ga_service.settings import Settings

if __name__ == "__main__":
    settings = load_settings(Settings)
    configure_logging(SERVICE, level=settings.log_level, as_json=settings.log_json)
    serve(create_app(settings), host=settings.host, port=settings.port)
