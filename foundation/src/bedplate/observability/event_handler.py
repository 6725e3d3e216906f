"""The log handler of the process: it masks, renders and writes every event."""

import asyncio
import contextlib
import logging
import sys
from collections.abc import Callable, Iterator, MutableMapping
from typing import Any, TextIO

import structlog

from bedplate import clock
from bedplate.observability.masking import mask_secrets
from bedplate.observability.rendering import Render
from bedplate.tracing import trace_ids

EventDict = MutableMapping[str, Any]
"""A log entry as a dict: `event`, `level`, `logger`, `timestamp` and its own members."""

Listener = Callable[[EventDict], None]

_MAX_WAIT_SECONDS = 0.1
_MAX_PENDING = 64


class EventHandler(logging.Handler):
    """Renders log events and writes them to `stream`, by default the current `sys.stderr`.

    Never raises into the code that logs. With `gather`, `write_event` renders and writes in
    batches, at most 0.1 s late: a system call for each line would cost a request more than all
    layers around it.
    """

    def __init__(
        self, render: Render, stream: TextIO | None = None, *, gather: bool = False
    ) -> None:
        super().__init__()
        self._render = render
        self._stream = stream
        self._gather = gather
        self._pending: list[EventDict] = []
        self._flushing_loop: asyncio.AbstractEventLoop | None = None
        self._listeners: list[Listener] = []
        formatter = structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[_add_extra, *COMMON_PROCESSORS],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                # A plain traceback: the values of local variables may be secrets.
                structlog.processors.StackInfoRenderer(),
                structlog.processors.format_exc_info,
                mask_secrets,
                self._notify,
                lambda _, __, event: render(event).decode(),
            ],
        )
        self.setFormatter(formatter)

    def emit(self, record: logging.LogRecord) -> None:
        """Write a record of the standard library, after the events that were logged before it."""
        try:
            line = self.format(record).encode()
            self.flush()
            self._write(line)
        except Exception:  # noqa: BLE001 - logging must not break what it logs
            self.handleError(record)

    def write_event(self, event: EventDict) -> None:
        """Write a complete event without secrets; no log record is made for it."""
        self._pending.append(event)
        if self._listeners:
            self._notify(None, "", event)
            self.flush()
        elif len(self._pending) >= _MAX_PENDING or not (self._gather and self._will_flush()):
            self.flush()

    def flush(self) -> None:
        """Write the gathered events; logging also calls this when the process ends."""
        self._flushing_loop = None
        if not self._pending:
            return
        self.acquire()
        try:
            events, self._pending = self._pending, []
            self._write(b"".join(map(self._render, events)))
        except Exception:  # noqa: BLE001, S110 - logging must not break what it logs
            pass
        finally:
            self.release()

    @contextlib.contextmanager
    def listening(self, listener: Listener) -> Iterator[None]:
        """Also pass every event to `listener` while the context lasts."""
        self._listeners.append(listener)
        try:
            yield
        finally:
            self._listeners.remove(listener)

    def _will_flush(self) -> bool:
        """Schedule a flush on the running event loop; return whether there is one."""
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            return False
        if loop is not self._flushing_loop:
            self._flushing_loop = loop
            loop.call_later(_MAX_WAIT_SECONDS, self.flush)
        return True

    def _notify(self, _: Any, __: str, event: EventDict) -> EventDict:
        for listener in self._listeners:
            listener(dict(event))
        return event

    def _write(self, lines: bytes) -> None:
        stream = self._stream or sys.stderr
        binary = getattr(stream, "buffer", None)
        if binary is None:
            stream.write(lines.decode())
            stream.flush()
        else:
            binary.write(lines)
            binary.flush()


def _add_timestamp(_: Any, __: str, event: EventDict) -> EventDict:
    event["timestamp"] = clock.now()
    return event


def _add_trace(_: Any, __: str, event: EventDict) -> EventDict:
    event.update(trace_ids())
    return event


def _add_extra(logger: Any, name: str, event: EventDict) -> EventDict:
    """Add a record's `extra`, without the fields that formatters add to a record."""
    event = _EXTRA_ADDER(logger, name, event)
    for field in ("message", "asctime", "color_message"):
        event.pop(field, None)
    return event


_EXTRA_ADDER = structlog.stdlib.ExtraAdder()

COMMON_PROCESSORS: list[structlog.typing.Processor] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.add_log_level,
    _add_timestamp,
    _add_trace,
]
