"""Carries out the actions of schedules."""

import contextlib
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from typing import Any, ClassVar, Final

from bedplate.jobs.exceptions import RunSkipped
from bedplate.jobs.schedule import Run
from bedplate.jobs.schedule import Schedule as KeptSchedule
from bedplate.problems import ProblemError
from gameserver.backups.exceptions import WorldNotFound
from gameserver.backups.schemas import BackupKind
from gameserver.backups.service import BackupRequest
from gameserver.backups.wiring import BackupServices
from gameserver.console.exceptions import GameNotRunning
from gameserver.console.sanitize import redact_message
from gameserver.events import Events
from gameserver.operations.schemas import OperationKind, OperationState
from gameserver.operations.service import Operations
from gameserver.process.exceptions import GameAlreadyRunning
from gameserver.process.game import Game
from gameserver.schedules import schemas
from gameserver.schedules.countdown import Countdown
from gameserver.schedules.exceptions import ScheduledWorkFailed
from gameserver.schedules.updates import UpdateCheck
from gameserver.status import GameState

START_SECONDS: Final = 1800.0
"""How long a modded game may take until it runs."""

_SETTLED: Final = (GameState.RUNNING, GameState.CRASHED, GameState.STOPPED, GameState.NOT_INSTALLED)
_MAX_REPLY_LENGTH: Final = 300

Perform = Callable[["ActionRunner", Any, str], Awaitable[str | None]]


@dataclass(eq=False)
class ActionRunner:
    """Carries out the action of each run."""

    game: Game
    events: Events
    backups: BackupServices
    operations: Operations
    updates: UpdateCheck

    async def __call__(self, schedule: KeptSchedule[Any], run: Run) -> str | None:
        """Carry out a schedule's action, and return the outcome in words.

        Raises `RunSkipped` when there is nothing to do, and the errors of what it does.
        """
        by = f"schedule {schedule.name}" if run.by is None else f"{run.by}, {schedule.name}"
        return await self._actions[type(schedule.action)](self, schedule.action, by)

    async def _restart(self, action: schemas.RestartAction, by: str) -> str:
        await self._until_backed_up()
        await Countdown(self.game, self.events, by=by)(action)
        await self.game.restart(by=by, reason="A scheduled restart.")
        return await self._until_running("The game was restarted.")

    async def _stop(self, action: schemas.StopAction, by: str) -> str:
        await self._until_backed_up()
        await Countdown(self.game, self.events, by=by)(action)
        await self.game.stop(by=by, reason="A scheduled stop.")
        return "The game was stopped."

    async def _start(self, _: schemas.StartAction, by: str) -> str:
        with _skipping_on(GameAlreadyRunning):
            await self.game.start(by=by)
        return await self._until_running("The game was started.")

    async def _until_backed_up(self) -> None:
        """Let backups end: a stop would cut the copy that the game makes, every night again."""
        for item in self.operations.running():
            if item.kind is OperationKind.BACKUP:
                await self.operations.wait(item.id)

    async def _until_running(self, text: str) -> str:
        try:
            status = await self.game.wait_for(*_SETTLED, timeout=START_SECONDS)
        except TimeoutError:
            raise ScheduledWorkFailed("The game has not become ready in time.") from None
        if status.state is not GameState.RUNNING:
            reason = status.reason or "no reason is known"
            raise ScheduledWorkFailed(f"The game did not come up: {reason}")
        return text

    async def _back_up(self, action: schemas.BackupAction, by: str) -> str:
        request = BackupRequest(BackupKind.SCHEDULED, by, action.note)
        with _skipping_on(WorldNotFound):
            begun = await self.backups.backups.start(request)
        ended = await self.operations.wait(begun.id)
        if ended.state is not OperationState.DONE:
            why = ended.error.detail or ended.error.title if ended.error else "no reason is known"
            raise ScheduledWorkFailed(f"No backup was made: {why}")
        return f"The backup {ended.result.get('backup')} was made."

    async def _prune(self, _: schemas.PruneAction, _by: str) -> str:
        deleted = await self.backups.catalogue.prune()
        return f"{len(deleted)} backups were deleted."

    async def _command(self, action: schemas.CommandAction, by: str) -> str:
        with _skipping_on(GameNotRunning):
            reply = await self.game.console.send(
                action.command, by=by, allow_selectors=action.allow_selectors
            )
        reply_text = redact_message(reply.text)[:_MAX_REPLY_LENGTH]
        return reply_text or "The command was sent; the game did not reply."

    async def _announce(self, action: schemas.AnnouncementAction, by: str) -> str:
        if self.game.status.state is not GameState.RUNNING:
            raise RunSkipped("The game is not running.")
        await Countdown(self.game, self.events, by=by).announce(action.text)
        return "It was announced."

    async def _check_updates(self, action: schemas.UpdateCheckAction, _by: str) -> str:
        return await self.updates(game=action.game, mods=action.mods)

    _actions: ClassVar[dict[type, Perform]] = {
        schemas.RestartAction: _restart,
        schemas.StopAction: _stop,
        schemas.StartAction: _start,
        schemas.BackupAction: _back_up,
        schemas.PruneAction: _prune,
        schemas.CommandAction: _command,
        schemas.AnnouncementAction: _announce,
        schemas.UpdateCheckAction: _check_updates,
    }


@contextlib.contextmanager
def _skipping_on(refusal: type[ProblemError]) -> Iterator[None]:
    """Turn a refusal that says that there is nothing to do into `RunSkipped`."""
    try:
        yield
    except refusal as error:
        raise RunSkipped(str(error)) from None
