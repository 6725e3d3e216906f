"""Secrets don't get into the log."""

import logging
from collections.abc import Callable
from typing import Any

import pytest
import structlog
from pydantic import SecretStr

Logged = Callable[[], list[dict[str, Any]]]


@pytest.mark.parametrize(
    "name",
    [
        "authorization",
        "Cookie",
        "set-cookie",
        "token",
        "access_token",
        "password",
        "passwd",
        "client_secret",
        "api_key",
        "X-API-Key",
        "apikey",
        "private_key",
        "credentials",
    ],
)
def test_names(logged: Logged, name: str) -> None:
    """What is named like a secret is masked, at the top and inside, in both kinds of lines."""
    structlog.get_logger("shop").info("x", **{name: "hunter2"}, inner={"deep": [{name: "hunter2"}]})
    structlog.get_logger("shop").info("x", headers=[(name.encode(), b"hunter2"), ("a", "b")])
    logging.getLogger("library").info("x", extra={name: "hunter2"})
    assert "hunter2" not in str(logged())
    assert "***" in str(logged()[0])


@pytest.mark.parametrize(
    "text",
    [
        "can't reach postgresql://shop:hunter2@db/shop",
        "redis://:hunter2@cache",
        "Authorization: Bearer hunter2hunter2",
        "Authorization: Basic hunter2hunter2==",
    ],
)
def test_texts(logged: Logged, text: str) -> None:
    """Passwords in URLs and tokens in headers are masked inside of any text, tracebacks too."""
    structlog.get_logger("shop").info(text, error=text)
    structlog.get_logger("shop").error("failed", exc_info=ValueError(text))
    assert "hunter2" not in str(logged())


def test_what_tells_nothing(logged: Logged) -> None:
    """Numbers, booleans and other names stay as they are."""
    structlog.get_logger("shop").info(
        "x", prompt_tokens=12, has_token=True, token=None, url="http://a/b"
    )
    line = logged()[0]
    assert (line["prompt_tokens"], line["has_token"], line["token"]) == (12, True, None)
    assert line["url"] == "http://a/b"


def test_secret_types(logged: Logged) -> None:
    """Pydantic's secrets hide themselves."""
    structlog.get_logger("shop").info("x", value=SecretStr("hunter2"))
    assert "hunter2" not in str(logged())


def test_endless_nesting(logged: Logged) -> None:
    """A value that contains itself ends the masking, not the program."""
    endless: dict[str, Any] = {}
    endless["self"] = endless
    structlog.get_logger("shop").info("x", value=endless)
    assert logged()[0]["event"] == "x"
