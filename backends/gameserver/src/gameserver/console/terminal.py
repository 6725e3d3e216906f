"""The console in a terminal: prints the game's lines, and sends what is typed."""

import asyncio
import contextlib
import json
import sys
import threading
from collections.abc import AsyncIterator
from typing import Any, Final

import httpx2
import typer
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake

from bedplate.cli.exceptions import CommandError, describe

PAUSE: Final = 1.0
"""Seconds until a lost connection is tried again."""

REFUSED: Final = 1008


async def follow(url: str, key: str, *, tries: int | None = None) -> None:
    """Print the console of the manager at `url` and send what is typed, until Ctrl-C.

    A lost connection resumes after the last printed line; it may fail at most `tries` times in a
    row. Raises `CommandError` when the manager refuses the key or can't be reached.
    """
    address = f"ws{url.rstrip('/').removeprefix('http')}/console"
    typing = asyncio.create_task(_send_typed(url, key))
    position: dict[str, Any] = {}
    failed = 0
    try:
        while True:
            try:
                async with connect(address) as socket:
                    failed = 0
                    await _print_lines(socket, key, position)
            except (OSError, InvalidHandshake, ConnectionClosed) as error:
                failed += 1
                if tries is not None and failed >= tries:
                    raise CommandError(f"{url} can't be followed ({error}).") from error
            await asyncio.sleep(PAUSE)
    finally:
        typing.cancel()


async def _print_lines(socket: ClientConnection, key: str, position: dict[str, Any]) -> None:
    await socket.send(json.dumps({"key": key, **position}))
    try:
        async for text in socket:
            _show(json.loads(text), position)
    finally:
        if socket.close_code == REFUSED:
            raise CommandError(f"The manager refuses: {socket.close_reason}. Check the key.")


def _show(message: dict[str, Any], position: dict[str, Any]) -> None:
    match message["type"]:
        case "hello":
            position["run"] = message["run"]
        case "items":
            for line in message["items"]:
                position["after"] = line["number"]
                level = f"[{line['level']}] " if line["level"] else ""
                typer.echo(f"{line['number']:>6} {level}{line['text']}")
        case "lost":
            typer.echo(f"       ({message['count']} lines came too fast)")
        case "status":
            typer.secho(f"       the game is {message['state']}", fg=typer.colors.CYAN)


async def _send_typed(url: str, key: str) -> None:
    headers = {"X-API-Key": key}
    async with httpx2.AsyncClient(base_url=url, headers=headers, timeout=30) as client:
        async for command in _typed():
            try:
                response = await client.post("console/commands", json={"command": command})
            except httpx2.HTTPError as error:
                typer.secho(f"       not sent: {describe(error)}", fg=typer.colors.RED)
                continue
            if response.is_error:
                is_problem = "problem+json" in response.headers.get("content-type", "")
                reason = response.json()["detail"] if is_problem else response.reason_phrase
                typer.secho(f"       not sent: {reason}", fg=typer.colors.RED)


async def _typed() -> AsyncIterator[str]:
    """Yield each typed line. A thread reads them: standard input may be anything."""
    lines: asyncio.Queue[str] = asyncio.Queue()
    loop = asyncio.get_running_loop()

    def read() -> None:
        with contextlib.suppress(RuntimeError, ValueError):  # the loop or the input is closed
            for line in sys.stdin:
                loop.call_soon_threadsafe(lines.put_nowait, line)

    threading.Thread(target=read, daemon=True).start()
    while True:
        if command := (await lines.get()).strip():
            yield command
