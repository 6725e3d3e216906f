"""The console in a terminal, with a real server."""

import asyncio
import io
import sys
from collections.abc import AsyncIterator

import httpx2
import pytest
from fastapi import FastAPI, Request, Response

from bedplate.runtime.listener import bind
from bedplate.runtime.server import HttpServer
from bedplate.testing.processes import free_port
from gameserver.console.terminal import follow

PROBLEM = b'{"detail": "The game takes no commands: it is stopped."}'


@pytest.fixture
def commands() -> list[str]:
    """Give the commands that the server has received."""
    return []


@pytest.fixture
async def url(commands: list[str]) -> AsyncIterator[str]:
    """Give a manager behind a proxy: the first command meets the proxy's own error page."""
    app = FastAPI()

    @app.post("/console/commands")
    async def send_command(request: Request) -> Response:
        commands.append((await request.json())["command"])
        if len(commands) == 1:
            return Response("<html>Bad Gateway</html>", 502, media_type="text/html")
        return Response(PROBLEM, 409, media_type="application/problem+json")

    server = HttpServer(app, bind("127.0.0.1", 0), keep_alive=5)
    await server.start()
    yield f"http://127.0.0.1:{server.address[1]}"
    await server.stop_listening(last=True)
    await server.finish()
    await server.lifespan.shutdown()


async def test_what_cannot_be_sent_is_explained(
    url: str,
    commands: list[str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """An error says why, also the page of a proxy, and the next command is sent nevertheless."""
    monkeypatch.setattr(sys, "stdin", io.StringIO("/time\n\n/list clients\n"))
    shown = ""
    following = asyncio.create_task(follow(url, "key"))
    async with asyncio.timeout(20):
        while shown.count("not sent") < 2:
            shown += capsys.readouterr().out
            await asyncio.sleep(0.02)
    following.cancel()
    await asyncio.wait({following})
    assert commands == ["/time", "/list clients"]
    assert "not sent: Bad Gateway" in shown
    assert "not sent: The game takes no commands: it is stopped." in shown


async def test_a_manager_that_does_not_answer_is_explained(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A timeout has no text of its own: its name is shown."""

    async def answer_nothing(*_: object, **__: object) -> None:
        raise httpx2.ReadTimeout("")

    monkeypatch.setattr(httpx2.AsyncClient, "post", answer_nothing)
    monkeypatch.setattr(sys, "stdin", io.StringIO("/time\n"))
    following = asyncio.create_task(follow(f"http://127.0.0.1:{free_port()}", "key"))
    shown = ""
    async with asyncio.timeout(20):
        while "not sent" not in shown:
            shown += capsys.readouterr().out
            await asyncio.sleep(0.02)
    following.cancel()
    await asyncio.wait({following})
    assert "not sent: ReadTimeout" in shown
