"""The HTTP clients for our own services, ready before the fork.

What a first request loads would be loaded by each work horse anew: the certificates of the system (36 ms
of processor time a job), the modules that httpx takes in when it is first used (60 ms), the client (1 ms).
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


@cache
def shared_client() -> httpx.Client:
    """For all that a work horse asks. The process that forks makes it and asks nothing with it, for a
    connection that two processes have would mix up their answers."""
    return new_client()


def warm_up() -> None:
    """To be called once by the process that forks."""
    shared_client()
    for name in ("httpcore", "h11", "encodings.idna"):
        importlib.import_module(name)
