"""Where the services answer."""

import pytest

from bedplate.cli.exceptions import UsageError
from fountain.transfer.services import Addresses


def test_below_one_url() -> None:
    """Services of one process are below its URL, those elsewhere where they are."""
    result = Addresses.of("http://host:8000/", characters="https://characters.example/")
    assert result == Addresses(
        scripts="http://host:8000/scripts",
        characters="https://characters.example",
        sessions="http://host:8000/session-context",
        stories="http://host:8000/story-factory",
    )


@pytest.mark.parametrize("url", ["host:8000", "", "ftp://host", "http://", "http://a@host"])
def test_no_url(url: str) -> None:
    """What is no URL is refused before anybody is asked."""
    with pytest.raises(UsageError, match="which looks like http://host:8000"):
        Addresses.of(url)
