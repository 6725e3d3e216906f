"""Logs: structlog over the standard library, one form for every line.

Lines of our own code, of uvicorn and of any other library end in one handler: as one JSON object a
line where machines read, or as text where a person does.
"""

import contextlib
import logging
import sys
from collections.abc import Iterator
from typing import Any, TextIO

import structlog

from bedplate.observability.event_handler import COMMON_PROCESSORS, EventDict, EventHandler
from bedplate.observability.rendering import pretty_renderer, render_json

__all__ = ["EventDict", "captured_events", "configure_logging", "write_event"]

_ROOT = logging.getLogger()
_SERVER_LOGGERS = ("uvicorn", "uvicorn.error", "uvicorn.asgi", "fastapi")
# It repeats the query, where tokens may be; our access log says the rest.
_UNWANTED_LOGGERS = ("uvicorn.access",)
# Their lines below these levels repeat whole URLs, or say nothing.
_MIN_LEVELS = {
    "httpx": logging.WARNING,
    "httpx2": logging.WARNING,
    "httpcore": logging.WARNING,
    "asyncio": logging.INFO,
    "bedplate.database.pool": logging.WARNING,
}

_installed: EventHandler | None = None


def configure_logging(*, json: bool, level: str = "info", stream: TextIO | None = None) -> None:
    """Send every log line of the process to `stream` (standard error by default).

    `json` makes each line one JSON object; else it is text for a person. `level` is the least that
    is logged: debug, info, warning, error or critical. May be called again; the last call counts.
    Raises `ValueError` for an unknown level.
    """
    global _installed  # noqa: PLW0603 - logging is one for the process, as the root logger is
    _ROOT.setLevel(level.upper())
    for present in list(_ROOT.handlers):
        if isinstance(present, EventHandler) or type(present) is logging.StreamHandler:
            present.flush()
            _ROOT.removeHandler(present)
    _installed = _json_handler(stream) if json else _pretty_handler(stream)
    _ROOT.addHandler(_installed)
    _take_over_server_loggers()
    for name, least in _MIN_LEVELS.items():
        logging.getLogger(name).setLevel(max(least, _ROOT.level))
    logging.captureWarnings(capture=True)
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *COMMON_PROCESSORS,
            structlog.stdlib.PositionalArgumentsFormatter(),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )


def write_event(logger: logging.Logger, level: int, event: dict[str, Any]) -> None:
    """Write a complete event, by the short way when `configure_logging` was called.

    `event` has the keys `event`, `level`, `logger` and `timestamp` (a `datetime`), and no secrets.
    Meant for the access log: a line costs 3 µs this way, 30 through a record and the processors.
    """
    if (handler := _installed) is not None and handler in _ROOT.handlers:
        handler.write_event(event)
    else:
        logger.log(level, event.pop("event"), extra=event)


@contextlib.contextmanager
def captured_events() -> Iterator[list[EventDict]]:
    """Yield a list that fills with every event that is logged while the context lasts.

    Raises `RuntimeError` when logging isn't configured.
    """
    if _installed is None or _installed not in _ROOT.handlers:
        raise RuntimeError("Call configure_logging() first.")
    events: list[EventDict] = []
    with _installed.listening(events.append):
        yield events


def _json_handler(stream: TextIO | None) -> EventHandler:
    return EventHandler(render_json, stream, gather=stream is None or hasattr(stream, "buffer"))


def _pretty_handler(stream: TextIO | None) -> EventHandler:
    return EventHandler(pretty_renderer(colors=(stream or sys.stderr).isatty()), stream)


def _take_over_server_loggers() -> None:
    for name in _SERVER_LOGGERS:
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate = True
    for name in _UNWANTED_LOGGERS:
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate = False
