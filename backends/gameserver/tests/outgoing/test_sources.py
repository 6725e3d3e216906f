"""From where files may come."""

import pytest

from gameserver.outgoing.exceptions import HostRefused, NoWebURL, PlainHTTPRefused, SourceRefused
from gameserver.outgoing.sources import Sources

TRUSTED = "http://127.0.0.1:1/feed"
CDN = frozenset({"cdn.example"})


@pytest.mark.parametrize(
    ("url", "allowed"),
    [
        ("https://cdn.example/a", True),
        ("https://CDN.example:443/a", True),
        ("http://cdn.example/a", False),
        ("https://cdn.example:8443/a", False),
        ("https://cdn.example.evil/a", False),
        ("https://user@cdn.example/a", False),
        ("http://127.0.0.1:1/a", True),
        ("http://127.0.0.1:2/a", False),
        ("http://127.0.0.1:1@evil.example/a", False),
        ("http://127.0.0.1:0/a", False),
        ("file:///etc/passwd", False),
        ("https://[::1/a", False),
        ("https://cdn.example:99999/", False),
        ("https://xn--a.example/", False),
        ("", False),
    ],
)
def test_files_come_from_allowed_hosts_only(url: str, allowed: bool) -> None:
    """HTTPS from the named hosts, and whatever the operator's own URL is."""
    sources = Sources(TRUSTED, CDN)
    if allowed:
        sources.check(url)
    else:
        with pytest.raises(SourceRefused):
            sources.check(url)


@pytest.mark.parametrize(
    ("url", "refusal"),
    [
        ("ftp://cdn.example/a", NoWebURL),
        ("https://evil.example/a", HostRefused),
        ("http://cdn.example/a", PlainHTTPRefused),
    ],
)
def test_each_refusal_has_its_kind(url: str, refusal: type[SourceRefused]) -> None:
    """Who asks can say what is wrong with a URL."""
    with pytest.raises(refusal):
        Sources(TRUSTED, CDN).check(url)


def test_more_can_be_allowed() -> None:
    """Another port, or plain HTTP in a private network, where that was chosen."""
    url = Sources(TRUSTED, CDN, any_port=True).check("https://cdn.example:8443/a")
    assert url.port == 8443
    mirror = Sources(TRUSTED, CDN, private=True)
    assert mirror.may_be_private(mirror.check("http://cdn.example:8080/a"))


def test_only_the_trusted_may_be_private() -> None:
    """A named host has to be public; the operator's own may be anywhere."""
    sources = Sources(TRUSTED, CDN)
    assert sources.may_be_private(sources.check("http://127.0.0.1:1/a"))
    assert not sources.may_be_private(sources.check("https://cdn.example/a"))


def test_a_trusted_url_that_is_none() -> None:
    """An operator's URL that can't be read trusts nobody, and hides no other host."""
    sources = Sources("http://[::1", CDN)
    sources.check("https://cdn.example/a")
    with pytest.raises(SourceRefused):
        sources.check("http://[::1")
