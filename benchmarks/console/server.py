"""The smallest backend that streams what a child process writes: PORT COMMAND…."""

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator

import orjson
from fastapi import APIRouter, FastAPI, Request, WebSocket

from bedplate.application import create_app
from bedplate.backend import Backend
from bedplate.jobs.background import Jobs
from bedplate.lifecycle import Drain
from bedplate.realtime import Broadcast, Numbered, Stream
from bedplate.runtime import Serving, serve
from bedplate.settings import Settings
from bedplate.state import State, opened
from benchmarks.logs import log_to_null

router = APIRouter()
_HELD = 10_000
_STAMP_WORDS = 4


def encode(entry: Numbered[str]) -> str:
    """Return a line as clients get it."""
    return orjson.dumps({"number": entry.number, "text": entry.item}).decode()


@contextlib.asynccontextmanager
async def open_lines() -> AsyncIterator[Broadcast[str]]:
    """Yield the lines; nothing writes them yet."""
    yield Broadcast(_HELD, encode, weigh=len)


class ConsoleState(State):
    """The lines of the child."""

    lines: Broadcast[str] = opened(open_lines)


async def run_child(lines: Broadcast[str]) -> None:
    """Publish what the child writes until it ends."""
    pipe = asyncio.subprocess.PIPE
    child = await asyncio.create_subprocess_exec(*sys.argv[2:], stdin=pipe, stdout=pipe)
    assert child.stdout is not None
    async for line in child.stdout:
        lines.publish(line.decode().rstrip().split(" ", _STAMP_WORDS)[-1])


@router.websocket("/console")
async def console(socket: WebSocket) -> None:
    """Stream the lines."""
    await Stream(socket, socket.state.lines, drain=socket.state.drain).serve()


@router.post("/server/start")
async def start(request: Request) -> None:
    """Let the child write."""
    jobs: Jobs = request.state.jobs
    jobs.start(run_child(request.state.lines), name="child")


def make_application(drain: Drain) -> FastAPI:
    """Return the application, with all that the foundation switches on."""
    log_to_null()
    backend = Backend(
        name="console",
        title="Console",
        settings=Settings,
        routers=[router],
        state=ConsoleState,
    )
    return create_app(backend, Settings.load(), drain=drain)


if __name__ == "__main__":
    serving = Serving(port=int(sys.argv[1]), operations_port=None, grace_seconds=0)
    sys.exit(serve(make_application, None, serving))
