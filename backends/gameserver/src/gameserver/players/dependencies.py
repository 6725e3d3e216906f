"""What routes ask for."""

import contextlib
from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import Depends, Request

from bedplate.backend import Resources
from gameserver.players.service import Players
from gameserver.players.sessions import Sessions
from gameserver.settings import GameServerSettings


@contextlib.asynccontextmanager
async def open_players(_: GameServerSettings, resources: Resources) -> AsyncIterator[Players]:
    """Yield the players; needs the resources `layout`, `game` and `audit`."""
    yield Players(resources["layout"], resources["game"], resources["audit"])


def current_players(request: Request) -> Players:
    """Return the players of this process's game."""
    players: Players = request.state.players
    return players


def current_sessions(request: Request) -> Sessions:
    """Return who played when."""
    sessions: Sessions = request.state.sessions
    return sessions


CurrentPlayers = Annotated[Players, Depends(current_players)]
CurrentSessions = Annotated[Sessions, Depends(current_sessions)]
