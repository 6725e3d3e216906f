import ssl
from functools import cache

import httpx2


@cache
def trusted() -> ssl.SSLContext:
    """Return the TLS context for `httpx2.AsyncClient(verify=…)`: the system's trust store.

    SSL_CERT_FILE or SSL_CERT_DIR replace it. Cached, since reading it takes some 40 ms.
    """
    return httpx2.create_ssl_context()
