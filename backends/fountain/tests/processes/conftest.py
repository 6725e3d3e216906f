"""The services as processes of their own, with only HTTP between them."""

import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from bedplate.testing.processes import ServerProcess, free_port

BEDPLATE = str(Path(sys.executable).with_name("bedplate"))

UrlOf = Callable[[str], str]
StartServices = Callable[..., Awaitable["Running"]]


@dataclass(frozen=True)
class Running:
    """A process, and where it listens."""

    url: str
    process: ServerProcess


def described(
    names: tuple[str, ...], port: int, folder: Path, variables: dict[str, str]
) -> Running:
    """Return a process, not started, that runs these services together."""
    process = ServerProcess(
        [BEDPLATE, "run", *names, "--port", str(port), "--operations-port", str(free_port())],
        url=f"http://127.0.0.1:{port}/healthz",
        env={"ENVIRONMENT": "test", **variables},
        cwd=folder,
        timeout_seconds=90,
    )
    return Running(f"http://127.0.0.1:{port}", process)


@pytest.fixture
async def start_services(url_of: UrlOf, tmp_path: Path) -> AsyncIterator[StartServices]:
    """Give a function that starts some services in a process, on the test's databases."""
    async with AsyncExitStack() as stack:

        async def start(*names: str, port: int | None = None, **variables: str) -> Running:
            for name in names:
                if name != "story-factory":
                    variable = f"{name.replace('-', '_').upper()}_DATABASE_URL"
                    variables.setdefault(variable, url_of(name))
            running = described(names, port or free_port(), tmp_path, variables)
            await stack.enter_async_context(running.process)
            return running

        yield start
