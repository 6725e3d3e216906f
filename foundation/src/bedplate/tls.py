"""Whom the HTTPS clients of this process trust."""

import ssl
from functools import cache

import httpx2


@cache
def trusted() -> ssl.SSLContext:
    """Return what `httpx2.AsyncClient(verify=…)` takes: the system's certificates, read once.

    SSL_CERT_FILE or SSL_CERT_DIR name others. To read them takes some 40 ms, and each client would
    do it for itself.
    """
    return httpx2.create_ssl_context()
