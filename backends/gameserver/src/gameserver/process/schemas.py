from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, Field, StringConstraints

from bedplate.schemas import Schema
from gameserver.console.facts import GameFacts
from gameserver.process.game import Game
from gameserver.status import GameState

Reason = Annotated[str, StringConstraints(max_length=200, pattern=r"^[^\x00-\x1f\x7f]*$")]


class Mods(BaseModel):
    """The mods of the present run, as the game lists them."""

    loaded: list[str] = Field(description="Ids, in the order in which they are loaded")
    failed: dict[str, str] = Field(description="Why, by id")


class Saves(BaseModel):
    """Saves of the present run."""

    count: int
    saving_since: datetime | None
    last_at: datetime | None
    last_seconds: float | None


class Overloads(BaseModel):
    """Ticks that took too long, in the present run."""

    count: int
    last_at: datetime | None
    last_milliseconds: int | None


class RunFacts(BaseModel):
    """What the console of the present or last run has revealed. Texts are untrusted."""

    phase: str | None
    ready_at: datetime | None
    version: str | None
    network_version: str | None
    api_version: str | None
    players_online: int
    mods: Mods
    saves: Saves
    overloads: Overloads
    warnings: int
    errors: int
    fatal: str | None


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
    run: RunFacts


class StopRequest(Schema):
    """How to stop."""

    reason: Reason = "Requested by the administrator."


def to_response(game: Game) -> ServerStatus:
    """Return the status for clients."""
    return ServerStatus(
        **vars(game.status),
        busy_with=game.busy_with,
        run=_run(game.console.facts.current, len(game.console.online)),
    )


def _run(facts: GameFacts, online: int) -> RunFacts:
    return RunFacts(
        phase=facts.phase,
        ready_at=facts.ready_at,
        version=facts.version,
        network_version=facts.network_version,
        api_version=facts.api_version,
        players_online=online,
        mods=Mods(loaded=list(facts.mods), failed=facts.failed_mods),
        saves=Saves(
            count=facts.saves,
            saving_since=facts.saving_since,
            last_at=facts.last_saved_at,
            last_seconds=facts.last_save_seconds,
        ),
        overloads=Overloads(
            count=facts.overloads,
            last_at=facts.last_overload_at,
            last_milliseconds=facts.last_overload_milliseconds,
        ),
        warnings=facts.warnings,
        errors=facts.errors,
        fatal=facts.last_fatal,
    )
