"""Types of settings."""

import pytest
from pydantic import TypeAdapter, ValidationError

from bedplate.settings import WebURL

_WEB_URL: TypeAdapter[str] = TypeAdapter(WebURL)


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("http://host", "http://host"),
        ("https://example.com/", "https://example.com"),
        ("HTTPS://Example.com/below/", "HTTPS://Example.com/below"),
        ("http://127.0.0.1:8080/a/b", "http://127.0.0.1:8080/a/b"),
        ("http://[::1]:8080", "http://[::1]:8080"),
    ],
)
def test_a_web_url_is_kept_without_a_slash_at_its_end(text: str, url: str) -> None:
    """Paths can be appended to it."""
    assert _WEB_URL.validate_python(text) == url


@pytest.mark.parametrize(
    "text",
    [
        "",
        "secret4711",
        "secret4711:8000",
        "ftp://secret4711",
        "http://",
        "http://:8000",
        "http:///secret4711",
        "http://secret4711:p@host",
        "http://host?secret4711",
        "http://host#secret4711",
        "http://host/secret 4711",
        "http://host\nsecret4711",
        "http://[secret4711",
        "http://[secret4711]",
        " http://secret4711",
    ],
)
def test_what_is_not_a_web_url_is_refused(text: str) -> None:
    """No part of the value is repeated in the error."""
    with pytest.raises(ValidationError, match="should look like") as refusal:
        _WEB_URL.validate_python(text)
    messages = [error["msg"] for error in refusal.value.errors(include_input=False)]
    assert not any("secret4711" in message for message in messages)
