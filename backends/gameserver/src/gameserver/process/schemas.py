from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, Field, StringConstraints

from bedplate.schemas import Schema
from gameserver.console.facts import CONSOLE_DEAD
from gameserver.console.schemas import Overloads, RunMods, Saves
from gameserver.process.game import Game
from gameserver.status import AT_REST, GameState

Reason = Annotated[str, StringConstraints(max_length=200, pattern=r"^[^\x00-\x1f\x7f]*$")]


class RunFacts(BaseModel):
    """What the console of the present or last run has revealed. Texts are untrusted."""

    phase: str | None
    ready_at: datetime | None
    version: str | None
    network_version: str | None
    api_version: str | None
    players_online: int
    mods: RunMods
    saves: Saves
    overloads: Overloads
    warnings: int
    errors: int
    fatal: str | None
    ignored_commands: int = Field(
        description="Commands in a row that the game has not taken; 0 again after the next echo"
    )


class ServerStatus(BaseModel):
    """The state of the game, and how it came to it."""

    state: GameState
    since: datetime
    reason: str | None
    pid: int | None
    exit_code: int | None = Field(description="Of the last process; negative for a signal")
    version: str | None
    simulated: bool = Field(description="Whether it is the stand-in because no game is installed")
    port: int | None
    last_lines: list[str] = Field(description="The last lines of a crashed game's console")
    restart_at: datetime | None = Field(description="When a crashed game is started again")
    busy_with: str | None = Field(
        description="What has exclusive access to the world at the moment"
    )
    hint: str | None = Field(description="What to do about a game that runs, but not as it should")
    run: RunFacts


class StopRequest(Schema):
    """How to stop."""

    reason: Reason = "Requested by the administrator."


def to_response(game: Game) -> ServerStatus:
    """Return the status for clients."""
    current = game.console.facts.current
    has_process = game.status.state not in AT_REST
    return ServerStatus(
        **vars(game.status),
        busy_with=game.busy_with,
        hint=CONSOLE_DEAD if has_process and current.console_dead else None,
        run=RunFacts(**vars(current), players_online=len(game.console.online)),
    )
