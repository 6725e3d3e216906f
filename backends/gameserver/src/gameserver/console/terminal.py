"""The console in a terminal: what the game says is printed, what is typed is sent to it."""

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

from bedplate.cli.exceptions import CommandError

PAUSE: Final = 1.0
"""Seconds until a lost connection is tried again."""

REFUSED: Final = 1008


async def follow(url: str, key: str, *, tries: int | None = None) -> None:
    """Print the console of the manager at `url` and send what is typed, until Ctrl-C.

    A lost connection goes on after the last line that was printed; `tries` bounds how often in a
    row it may fail. Raises `CommandError` when the manager refuses the key or can't be reached.
    """
    typing = asyncio.create_task(_send_typed(url, key))
    place: dict[str, Any] = {}
    failed = 0
    try:
        while True:
            try:
                async with connect(f"{_socket_address(url)}/console") as socket:
                    failed = 0
                    await _print_lines(socket, key, place)
            except (OSError, InvalidHandshake, ConnectionClosed) as error:
                failed += 1
                if tries is not None and failed >= tries:
                    raise CommandError(f"{url} can't be followed ({error}).") from error
            await asyncio.sleep(PAUSE)
    finally:
        typing.cancel()


def _socket_address(url: str) -> str:
    return "ws" + url.rstrip("/").removeprefix("http")


async def _print_lines(socket: ClientConnection, key: str, place: dict[str, Any]) -> None:
    await socket.send(json.dumps({"key": key, **place}))
    try:
        async for text in socket:
            _show(json.loads(text), place)
    finally:
        if socket.close_code == REFUSED:
            raise CommandError(f"The manager refuses: {socket.close_reason}. Check the key.")


def _show(message: dict[str, Any], place: dict[str, Any]) -> None:
    match message["type"]:
        case "hello":
            place["run"] = message["run"]
        case "items":
            for line in message["items"]:
                place["after"] = line["number"]
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
                answer = await client.post("console/commands", json={"command": command})
            except httpx2.HTTPError as error:
                typer.secho(f"       not sent: {error}", fg=typer.colors.RED)
                continue
            if answer.is_error:
                typer.secho(f"       {answer.json()['detail']}", fg=typer.colors.RED)


async def _typed() -> AsyncIterator[str]:
    """Yield each line that is typed. A thread reads them: standard input may be anything."""
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
