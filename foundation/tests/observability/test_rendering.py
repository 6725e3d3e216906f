"""How an event becomes a line, whatever is in it."""

import json
import math
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
import structlog
from hypothesis import example, given
from hypothesis import strategies as st

from bedplate.observability.rendering import pretty_renderer, render_json


@dataclass
class Account:
    """Has a member that its text doesn't show."""

    name: str
    pin: str = field(repr=False)


class Broken:
    """Has no text."""

    def __str__(self) -> str:
        raise RuntimeError


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("\ud800", "\ud800"),
        (2**70, 2**70),
        (math.nan, None),
        ({1: "a"}, {"1": "a"}),
        ({(1, 2): "a"}, "{(1, 2): 'a'}"),
        (b"\xff", "b'\\xff'"),
        ({1}, "{1}"),
        (Account("a", pin="1234"), "Account(name='a')"),
        (Broken(), "<Broken>"),
        (ValueError("x"), "x"),
        ("a\nb\r\x1b[31m", "a\nb\r\x1b[31m"),
    ],
)
def test_any_value(value: object, shown: object) -> None:
    """Every value makes one line of valid JSON, and never an error."""
    line = render_json({"event": "x", "value": value})
    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1
    assert json.loads(line)["value"] == shown


def test_recursion() -> None:
    """A value that contains itself makes a line."""
    endless: list[Any] = []
    endless.append(endless)
    assert json.loads(render_json({"event": "x", "value": endless}))["event"] == "x"


@given(st.text(), st.text())
@example("\u202e", "\x9b2J")
def test_one_line_of_text(event: str, value: str) -> None:
    """No text can start a line of its own or move the cursor of a terminal."""
    line = pretty_renderer(colors=False)({"event": event, "level": "info", "value": value})
    text = line.decode()
    assert text.endswith("\n")
    assert not {unicodedata.category(character) for character in text[:-1]} & {
        "Cc",
        "Cs",
        "Zl",
        "Zp",
    }
    assert "\u202e" not in text


def test_forged_line(pretty: Callable[[], str]) -> None:
    """A message with line breaks can't pass for another line, not even in a traceback."""
    forged = "x\n2026-01-01 [error] all is lost\x1b[2J"
    structlog.get_logger("shop").info(forged, **{forged: forged})
    structlog.get_logger("shop").error("failed", exc_info=ValueError(forged))
    assert "\x1b" not in pretty()
    assert not any(line.startswith("2026-01-01") for line in pretty().splitlines())
    assert "ValueError: x" in pretty()
