"""Real processes for the tests of the runtime."""

import asyncio
import contextlib
import json
import sys
import tempfile
from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

PROGRAM = Path(__file__).parent / "serve_program.py"

Start = Callable[..., Awaitable[Process]]
Logged = Callable[[Process, str], Awaitable[dict[str, Any]]]


class Programs:
    """Starts `serve_program.py`; the next process imports its modules while a test still runs."""

    def __init__(self) -> None:
        self._started: list[Process] = []
        self._next = asyncio.ensure_future(self._launch())

    async def start(self, **settings: object) -> Process:
        """Let the waiting process serve with these settings."""
        process = await self._next
        self._next = asyncio.ensure_future(self._launch())
        assert process.stdin is not None
        process.stdin.write(json.dumps(settings).encode() + b"\n")
        self._started.append(process)
        return process

    async def close(self) -> None:
        """End every process, the one that waits as well."""
        for process in (*self._started, await self._next):
            await end(process)

    @staticmethod
    async def _launch() -> Process:
        pipe = asyncio.subprocess.PIPE
        return await asyncio.create_subprocess_exec(
            sys.executable, str(PROGRAM), stdin=pipe, stdout=pipe, stderr=pipe
        )


async def end(process: Process) -> None:
    """Kill a process, if it still runs, and close its pipes."""
    with contextlib.suppress(ProcessLookupError):
        process.kill()
    assert process.stdin is not None
    process.stdin.close()
    await process.communicate()


@pytest.fixture(scope="module")
async def programs() -> AsyncIterator[Programs]:
    """Give what starts programs, one event loop for all tests of a module."""
    programs = Programs()
    yield programs
    await programs.close()


@pytest.fixture
async def start(programs: Programs, temporary_directory: Path) -> AsyncIterator[Start]:
    """Start `serve_program.py` with the fields of `Serving`, and kill it at the end."""
    processes = []

    async def start(**settings: object) -> Process:
        process = await programs.start(temporary_directory=str(temporary_directory), **settings)
        processes.append(process)
        return process

    yield start
    for process in processes:
        await end(process)


@pytest.fixture
def temporary_directory() -> Iterator[Path]:
    """Give a directory for the temporary files of the served processes.

    Not below `tmp_path`: the path of a Unix socket has 107 bytes at most.
    """
    with tempfile.TemporaryDirectory() as directory:
        yield Path(directory)


@pytest.fixture(scope="module")
def logged() -> Logged:
    """Wait for a line of log with that event, and return it."""

    async def logged(process: Process, event: str) -> dict[str, Any]:
        assert process.stdout is not None
        seen = []
        async with asyncio.timeout(20):
            while line := await process.stdout.readline():
                seen.append(line)
                found: dict[str, Any] = json.loads(line)
                if found["event"] == event:
                    return found
        pytest.fail(f"{event} was not logged, but {seen}")

    return logged
