import contextlib
from collections.abc import AsyncIterator
from typing import Annotated

from bedplate.documents import Document
from bedplate.state import from_state
from gameserver.audit.service import Audit
from gameserver.events import Events
from gameserver.layout import Layout
from gameserver.players.schemas import SessionLog
from gameserver.players.service import Players
from gameserver.players.sessions import Sessions
from gameserver.process.game import Game

CurrentPlayers = Annotated[Players, from_state(Players)]
CurrentSessions = Annotated[Sessions, from_state(Sessions)]


@contextlib.asynccontextmanager
async def open_players(layout: Layout, game: Game, audit: Audit) -> AsyncIterator[Players]:
    """Yield the players of the game."""
    yield Players(layout, game, audit)


def open_sessions(layout: Layout, events: Events) -> Sessions:
    """Return who played when; it listens to the events of joining and leaving while it is open."""
    document = Document(layout.state / "sessions.json", SessionLog, default=SessionLog)
    return Sessions(document, events)
