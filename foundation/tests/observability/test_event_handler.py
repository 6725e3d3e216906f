"""How lines leave: gathered under load, in order, and never lost at the end."""

import asyncio
import io
import logging
import subprocess
import sys
from collections.abc import Callable

import pytest

from bedplate.observability.event_handler import EventHandler
from bedplate.observability.rendering import render_json


class Output(io.BytesIO):
    """Says when something is written."""

    def __init__(self) -> None:
        super().__init__()
        self.written = asyncio.Event()

    def flush(self) -> None:
        """Note that everything is out."""
        self.written.set()


@pytest.fixture
def output() -> Output:
    """Give where the lines go."""
    return Output()


@pytest.fixture
def handler(output: Output) -> EventHandler:
    """Give a handler that gathers."""
    return EventHandler(render_json, io.TextIOWrapper(output), gather=True)


async def test_gathered(handler: EventHandler, output: Output) -> None:
    """Events of one moment are written together, soon."""
    handler.write_event({"event": 1})
    handler.write_event({"event": 2})
    assert output.getvalue() == b""
    await asyncio.wait_for(output.written.wait(), 10)
    assert output.getvalue() == b'{"event":1}\n{"event":2}\n'


async def test_order(handler: EventHandler, output: Output) -> None:
    """A line of the standard library never overtakes an event."""
    handler.write_event({"event": 1})
    handler.handle(logging.makeLogRecord({"msg": "2", "levelname": "INFO", "name": "x"}))
    first, second = output.getvalue().splitlines()
    assert (first, b'"event":"2"' in second) == (b'{"event":1}', True)


async def test_many(handler: EventHandler, output: Output) -> None:
    """What gathers is bounded."""
    for number in range(64):
        handler.write_event({"event": number})
    assert output.getvalue().count(b"\n") == 64


def test_without_a_loop(handler: EventHandler, output: Output) -> None:
    """Where no event loop runs, an event is written at once."""
    handler.write_event({"event": 1})
    assert output.getvalue() == b'{"event":1}\n'


def test_each_loop_flushes(handler: EventHandler, output: Output) -> None:
    """What a loop left behind when it ended is written by the next."""

    async def leave() -> None:
        handler.write_event({"event": "left"})

    async def wait() -> None:
        handler.write_event({"event": "next"})
        await asyncio.wait_for(output.written.wait(), 10)

    asyncio.run(leave())
    asyncio.run(wait())
    assert output.getvalue() == b'{"event":"left"}\n{"event":"next"}\n'


def test_end_of_the_process() -> None:
    """What gathered is written when the process ends."""
    program = """
import asyncio, logging
from bedplate.observability.logs import configure_logging, write_event
configure_logging(json=True)
async def main(): write_event(logging.getLogger(), logging.INFO, {"event": "last"})
asyncio.run(main())
"""
    ended = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, check=True, timeout=60
    )
    assert ended.stderr == b'{"event":"last"}\n'


def test_listener(handler: EventHandler) -> None:
    """A listener stops listening when its context ends."""
    seen: list[object] = []
    note: Callable[[object], None] = seen.append
    with handler.listening(note):
        handler.write_event({"event": 1})
    handler.write_event({"event": 2})
    assert seen == [{"event": 1}]
