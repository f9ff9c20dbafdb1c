"""The HTTP clients for our own services, ready before the fork.

What a first request loads would be loaded by each work horse anew: the certificates of the system (36 ms
of processor time a job) and the modules that httpx takes in when it is first used (60 ms).
"""

import importlib
import ssl
from functools import cache
from typing import Any

import httpx


@cache
def tls_context() -> ssl.SSLContext:
    return httpx.create_ssl_context(trust_env=False)


def new_client(**options: Any) -> httpx.Client:
    """Without the proxies of the environment: these are our own machines."""
    return httpx.Client(verify=tls_context(), trust_env=False, **options)


def warm_up() -> None:
    """To be called once by the process that forks."""
    tls_context()
    for name in ("httpcore", "h11", "encodings.idna"):
        importlib.import_module(name)
