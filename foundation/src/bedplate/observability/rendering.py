"""Renders log events as JSON for machines or text for a person. Neither ever raises."""

import json
import re
import textwrap
from collections.abc import Callable, Mapping, MutableMapping
from datetime import datetime
from typing import Any

import orjson
import structlog

Render = Callable[[MutableMapping[str, Any]], bytes]

_OPTIONS = orjson.OPT_UTC_Z | orjson.OPT_APPEND_NEWLINE | orjson.OPT_PASSTHROUGH_DATACLASS
_MULTI_LINE = ("exception", "stack")
# Starts a line, moves a terminal's cursor, changes the writing direction, or can't be encoded.
_HARMFUL = "\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff"
_CONTROL = re.compile(f"[\x00-\x1f{_HARMFUL}]")
_CONTROL_BUT_NEWLINE = re.compile(f"[\x00-\x09\x0b-\x1f{_HARMFUL}]")


def render_json(event: Mapping[str, Any]) -> bytes:
    """Return an event as one line of JSON; values that JSON can't hold become text."""
    try:
        return orjson.dumps(event, default=_text, option=_OPTIONS)
    except TypeError:  # lone surrogates, large integers, keys that aren't text
        try:
            line = json.dumps(event, default=_text)
        except (TypeError, ValueError, RecursionError):
            line = json.dumps({str(name): _text(value) for name, value in event.items()})
        return line.encode("ascii") + b"\n"


def pretty_renderer(*, colors: bool) -> Render:
    """Return the renderer for a terminal, which escapes control characters."""
    console = structlog.dev.ConsoleRenderer(
        colors=colors, exception_formatter=structlog.dev.plain_traceback, sort_keys=False
    )

    def render_pretty(event: MutableMapping[str, Any]) -> bytes:
        escaped = {_escape(str(name)): _sanitize(name, value) for name, value in event.items()}
        text = str(console(None, "", escaped))
        return (text + "\n").encode("utf-8", "backslashreplace")

    return render_pretty


def _sanitize(name: str, value: Any) -> Any:
    if isinstance(value, str):
        if name in _MULTI_LINE:
            # Indented, so that no message in it can look like a log line.
            return textwrap.indent(_CONTROL_BUT_NEWLINE.sub(_escaped, value), "    ")
        return _escape(value)
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, datetime):
        return value.strftime("%H:%M:%S.%f")[:-3]
    return _escape(_text(value))


def _escape(text: str) -> str:
    return _CONTROL.sub(_escaped, text)


def _escaped(match: re.Match[str]) -> str:
    return match[0].encode("unicode_escape").decode("ascii")


def _text(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    try:
        return str(value)
    except Exception:  # noqa: BLE001 - a broken __str__ must not cost the line
        return f"<{type(value).__name__}>"
