"""Who may ask: the API token, the service token, and pages of other sites kept out.

Without a token the gateway listens on loopback only. A page of a foreign site that runs in the
DJ's browser reaches loopback too, so the Host and Origin of a request are checked there.
"""

import base64
import binascii
import hmac
from typing import cast
from urllib.parse import urlsplit

from fastapi import Request
from pydantic import SecretStr

from dj_servicekit.errors import Forbidden, Unauthorized
from gateway_api.settings import Settings

_SAFE_METHODS = {"GET", "HEAD", "OPTIONS"}


async def require_api_access(request: Request) -> None:
    settings = _settings(request)
    if settings.api_token is not None:
        if not _presents(request, settings.api_token):
            raise Unauthorized(
                "This needs the API token: send it as 'Authorization: Bearer TOKEN'.",
                headers={"WWW-Authenticate": 'Basic realm="DJ Playlist", charset="UTF-8"'},
            )
    elif not settings.trust_network and _host_name(request) not in settings.allowed_hosts:
        raise Forbidden("This host name is not one of ALLOWED_HOSTS. Add it, or set API_TOKEN.")
    origin = request.headers.get("origin")
    if (
        origin
        and request.method not in _SAFE_METHODS
        and not (_same_origin(request, origin) or origin in settings.cors_origins)
    ):
        raise Forbidden("A page of another site may not change anything here.")


async def require_service_token(request: Request) -> None:
    if not _presents(request, _settings(request).service_token):
        raise Unauthorized("Internal endpoints need the SERVICE_TOKEN of this installation.")


def _settings(request: Request) -> Settings:
    # Not by a dependency of its own: this runs for each request, where solving one costs as much as it does.
    return cast("Settings", request.app.state.settings)


def _presents(request: Request, expected: SecretStr) -> bool:
    scheme, _, value = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "basic":  # what a browser sends after its own prompt; any user name
        try:
            value = base64.b64decode(value, validate=True).decode().partition(":")[2]
        except (binascii.Error, UnicodeDecodeError):
            return False
    elif scheme.lower() != "bearer":
        return False
    return hmac.compare_digest(value.strip().encode(), expected.get_secret_value().encode())


def _host_name(request: Request) -> str:
    host = request.headers.get("host", "")
    return host if host.endswith("]") else host.rpartition(":")[0] or host


def _same_origin(request: Request, origin: str) -> bool:
    return urlsplit(origin).netloc == request.headers.get("host", "")
