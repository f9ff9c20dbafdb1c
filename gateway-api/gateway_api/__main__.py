"""``python -m gateway_api``."""

from dj_servicekit.http import serve
from dj_servicekit.logs import configure_logging
from dj_servicekit.settings import load_settings
from gateway_api.main import create_app
from gateway_api.settings import Settings

if __name__ == "__main__":
    settings = load_settings(Settings)
    configure_logging("gateway-api", level=settings.log_level, as_json=settings.log_json)
    serve(create_app(settings), host=settings.host, port=settings.port)
