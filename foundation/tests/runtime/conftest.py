"""Real processes for the tests of the runtime."""

import asyncio
import contextlib
import json
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

PROGRAM = Path(__file__).parent / "serve_program.py"

Start = Callable[..., Awaitable[asyncio.subprocess.Process]]
Logged = Callable[[asyncio.subprocess.Process, str], Awaitable[dict[str, Any]]]


@pytest.fixture
async def start() -> AsyncIterator[Start]:
    """Start `serve_program.py` with the fields of `Serving`, and kill it at the end."""
    processes = []

    async def start(*, failure: str = "", **serving: object) -> asyncio.subprocess.Process:
        pipe = asyncio.subprocess.PIPE
        process = await asyncio.create_subprocess_exec(
            sys.executable, str(PROGRAM), json.dumps(serving), failure, stdout=pipe, stderr=pipe
        )
        processes.append(process)
        return process

    yield start
    for process in processes:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.communicate()


@pytest.fixture
def logged() -> Logged:
    """Wait for a line of log with that event, and return it."""

    async def logged(process: asyncio.subprocess.Process, event: str) -> dict[str, Any]:
        assert process.stdout is not None
        seen = []
        async with asyncio.timeout(20):
            while line := await process.stdout.readline():
                seen.append(line)
                try:
                    found: dict[str, Any] = json.loads(line)
                except json.JSONDecodeError:
                    continue
                if found["event"] == event:
                    return found
        pytest.fail(f"{event} was not logged, but {seen}")

    return logged
