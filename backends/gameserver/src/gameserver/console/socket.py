"""The WebSocket on which browsers follow the console."""

import asyncio
import contextlib
import urllib.parse
from typing import Final

from fastapi import APIRouter, WebSocket, WebSocketDisconnect
from pydantic import ValidationError

from bedplate.lifecycle import Drain
from bedplate.problems import ProblemError, problem_response
from bedplate.realtime import Stream
from gameserver.console.exceptions import OriginNotAllowed, TooManyConnections
from gameserver.console.lines import ConsoleLine
from gameserver.console.schemas import Filter, Hello, OfLevels
from gameserver.console.service import Console
from gameserver.console.tickets import Connections, Ticket
from gameserver.console.wiring import CurrentConnections, CurrentConsole, CurrentStatus
from gameserver.security import cors, rate_limit
from gameserver.settings import GameServerSettings
from gameserver.status import StatusBoard

router = APIRouter()

HELLO_SECONDS: Final = 10.0
MAX_HELLO_LENGTH: Final = 4_096
HISTORY: Final = 500
"""Lines that a client gets first when it doesn't say where to begin."""

POLICY_VIOLATION: Final = 1008


@router.websocket("/console")
async def follow_console(
    socket: WebSocket,
    console: CurrentConsole,
    status: CurrentStatus,
    connections: CurrentConnections,
) -> None:
    """Follow the console: the first message has a ticket or a key, then lines and states come.

    A client may send its ticket in the query instead: `?ticket=…&after=…&run=…&levels=…`.
    """
    try:
        _check_origin(socket)
        await rate_limit.charge(socket, None)
    except ProblemError as error:
        await socket.send_denial_response(problem_response(socket.scope, error))
        return
    await socket.accept()
    with contextlib.suppress(WebSocketDisconnect):
        await _serve(socket, console, status, connections)


def _check_origin(socket: WebSocket) -> None:
    """Raise `OriginNotAllowed` for a page from another origin that CORS_ORIGINS doesn't list.

    A client that sends no origin isn't a browser, so no page can misuse it.
    """
    origin = socket.headers.get("origin")
    if origin is None:
        return
    settings: GameServerSettings = socket.state.settings
    allowed = cors.origins(settings)
    same_host = urllib.parse.urlsplit(origin).netloc == socket.headers.get("host")
    if not (same_host or origin in allowed or "*" in allowed):
        raise OriginNotAllowed


async def _serve(
    socket: WebSocket, console: Console, status: StatusBoard, connections: Connections
) -> None:
    try:
        hello = await _hello(socket)
    except (ValidationError, TimeoutError, KeyError):
        await socket.close(POLICY_VIOLATION, "hello_expected")
        return
    ticket = _ticket_of(connections, hello)
    if ticket is None:
        await socket.close(POLICY_VIOLATION, "unauthorized")
        return
    address = socket.client.host if socket.client else None
    try:
        with connections.connected(ticket, address) as connection:
            await _follow(socket, console, status, hello, connection.revoked)
    except TooManyConnections:
        await socket.close(POLICY_VIOLATION, "too_many_connections")


async def _hello(socket: WebSocket) -> Hello:
    query = socket.query_params
    if "ticket" in query:
        fields = {name: query[name] for name in ("ticket", "after", "run") if name in query}
        levels = query["levels"].split(",") if query.get("levels") else None
        return Hello.model_validate({**fields, "levels": levels})
    async with asyncio.timeout(HELLO_SECONDS):
        text = await socket.receive_text()
    return Hello.model_validate_json(text[:MAX_HELLO_LENGTH])


def _ticket_of(connections: Connections, hello: Hello) -> Ticket | None:
    if hello.ticket is not None:
        return connections.redeem(hello.ticket)
    return None if hello.key is None else connections.ticket_for_key(hello.key)


async def _follow(
    socket: WebSocket, console: Console, status: StatusBoard, hello: Hello, revoked: asyncio.Event
) -> None:
    drain: Drain = socket.state.drain
    stream = Stream(socket, console.lines, drain=drain, revoked=revoked, on_message=_filter)
    statuses = asyncio.create_task(_send_statuses(stream, status))
    try:
        after = console.lines.tail(HISTORY) if hello.after is None else hello.after
        await stream.serve(after, run=hello.run, wants=OfLevels.named(hello.levels))
    finally:
        statuses.cancel()
        await asyncio.wait({statuses})


async def _filter(stream: Stream[ConsoleLine], text: str) -> None:
    try:
        message = Filter.model_validate_json(text)
    except ValidationError:
        await stream.send({"type": "refused", "reason": "unknown_message"})
    else:
        stream.filter(OfLevels.named(message.levels))


async def _send_statuses(stream: Stream[ConsoleLine], board: StatusBoard) -> None:
    """Send the status of the game, now and whenever it changes."""
    with contextlib.suppress(TimeoutError, WebSocketDisconnect, RuntimeError):
        while True:
            status = board.status
            message = {
                "type": "status",
                "state": status.state,
                "since": status.since,
                "reason": status.reason,
                "restart_at": status.restart_at,
            }
            await stream.send(message)
            await board.changed(status)
