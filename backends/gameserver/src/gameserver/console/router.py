import asyncio
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from bedplate.auth.credentials import header
from bedplate.openapi import errors
from bedplate.schemas import QueryInt
from gameserver.console.exceptions import (
    CommandRefused,
    ConsoleBusy,
    GameNotRunning,
    TicketNotFound,
)
from gameserver.console.lines import fields_of
from gameserver.console.schemas import (
    CommandAnswer,
    CommandRequest,
    ConsoleConnection,
    IssuedTicket,
    Level,
    Line,
    Lines,
    OfLevels,
)
from gameserver.console.wiring import CurrentConnections, CurrentConsole
from gameserver.security import CurrentAdmin, CurrentMonitor

router = APIRouter(prefix="/console", tags=["console"])

_LARGEST = 2**53


@router.get("/lines", response_model=Lines, summary="List lines of the console")
async def list_lines(
    _: CurrentMonitor,
    console: CurrentConsole,
    after: Annotated[
        int | None, QueryInt(0, _LARGEST), Query(description="Begin after this number")
    ] = None,
    limit: Annotated[int, QueryInt(1, 10_000), Query()] = 500,
    level: Annotated[list[Level] | None, Query(max_length=20)] = None,
) -> Response:
    """Return the lines after a number, or the newest; the last 10,000 are available."""
    passes = OfLevels.named(level)
    held = console.lines.since(after or 0)
    run, first, last = console.lines.run, console.lines.first, console.lines.last

    def page() -> bytes:
        matches = [entry for entry in held if passes is None or passes(entry.item)]
        chosen = matches[-limit:] if after is None else matches[:limit]
        complete = after is None or len(matches) <= limit
        end = last if complete else chosen[-1].number
        lines = ",".join(Line(**fields_of(entry)).model_dump_json() for entry in chosen)
        return f'{{"run":"{run}","first":{first},"last":{end},"lines":[{lines}]}}'.encode()

    # 10,000 lines take a fifth of a second, so a thread does it.
    return Response(await asyncio.to_thread(page), media_type="application/json")


@router.post(
    "/commands",
    responses=errors(GameNotRunning, CommandRefused, ConsoleBusy),
    summary="Send a command to the game",
)
async def send_command(
    admin: CurrentAdmin, console: CurrentConsole, request: CommandRequest
) -> CommandAnswer:
    """Type a line into the game's console, and return the reply."""
    reply = await console.send(
        request.command, by=admin.id, wait=request.wait, allow_selectors=request.allow_selectors
    )
    return CommandAnswer(lines=reply.lines, echoed=reply.echoed)


@router.post("/tickets", status_code=201, summary="Get a ticket for the WebSocket")
async def issue_ticket(
    request: Request, monitor: CurrentMonitor, connections: CurrentConnections
) -> IssuedTicket:
    """Return a ticket for one connection within 30 seconds: browsers can't send headers."""
    secret, ticket = connections.issue(monitor, header(request, b"x-api-key") or b"")
    return IssuedTicket(id=ticket.id, ticket=secret, expires_at=ticket.expires_at)


@router.get("/connections", summary="List the console's connections")
async def list_connections(
    _: CurrentAdmin, connections: CurrentConnections
) -> list[ConsoleConnection]:
    """Return the open WebSocket connections."""
    return [
        ConsoleConnection(
            id=connection.ticket.id,
            by=connection.ticket.principal.id,
            address=connection.address,
            since=connection.since,
        )
        for connection in connections.list()
    ]


@router.delete(
    "/connections/{connection_id}",
    status_code=204,
    responses=errors(TicketNotFound),
    summary="End a connection",
)
async def revoke_connection(
    connection_id: str, _: CurrentAdmin, connections: CurrentConnections
) -> None:
    """End a connection at once, or invalidate its unused ticket."""
    connections.revoke(connection_id)
