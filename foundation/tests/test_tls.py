"""Trust in HTTPS servers."""

import ssl

from bedplate.tls import trusted


def test_all_clients_share_what_is_trusted() -> None:
    """The certificates are read once, and a server has to prove its name by one of them."""
    context = trusted()
    assert context is trusted()
    assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, True)
