import contextlib
from collections.abc import AsyncIterator
from typing import Annotated

from bedplate.auth.api_keys import APIKeys
from bedplate.jobs.background import Jobs
from bedplate.state import from_state
from gameserver.audit.service import Audit
from gameserver.console.facts import Facts, needs_proof
from gameserver.console.main_log import MainLog
from gameserver.console.service import Console
from gameserver.console.tickets import RECHECK_SECONDS, Connections
from gameserver.events import Events
from gameserver.layout import Layout
from gameserver.settings import GameServerSettings
from gameserver.status import StatusBoard

CurrentConsole = Annotated[Console, from_state(Console)]
CurrentStatus = Annotated[StatusBoard, from_state(StatusBoard)]
CurrentConnections = Annotated[Connections, from_state(Connections)]


@contextlib.asynccontextmanager
async def open_console(
    settings: GameServerSettings, events: Events, audit: Audit, layout: Layout
) -> AsyncIterator[Console]:
    """Yield the console of the game."""
    yield Console(
        Facts(events),
        audit,
        flood_lines_per_second=settings.flood_lines_per_second,
        log=MainLog(layout.server_data / "Logs", needs_proof),
    )


@contextlib.asynccontextmanager
async def open_connections(verifier: APIKeys, jobs: Jobs) -> AsyncIterator[Connections]:
    """Yield the connections of the console; their keys are verified again every minute."""
    connections = Connections(verifier)
    jobs.every(RECHECK_SECONDS, connections.recheck, name="console_keys")
    yield connections
