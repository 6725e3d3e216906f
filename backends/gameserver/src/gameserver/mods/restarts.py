"""A change of mods and the game: it is down meanwhile, and afterwards it is seen to come up.

The game reads mods at its start only, and keeps their files open: to replace them under it can
crash it much later, so a change never happens while it runs. It is refused, or the game is
restarted for it, with everything fetched and checked before it is stopped.
"""

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable

from pydantic import JsonValue

from bedplate.problems import Conflict, ProblemError
from gameserver.mods.exceptions import GameIsRunning
from gameserver.mods.schemas import ChangeOptions
from gameserver.operations.progress import Progress
from gameserver.process.game import Game, exclusive_world, start_when_free
from gameserver.status import AT_REST, GameState

Outcome = dict[str, JsonValue]
_REASON = "The mods are changed."
_RETURN = "The former mods are brought back."


class GameNotReady(Conflict):
    """The game didn't become ready with the mods that were changed."""

    code = "game_not_ready"


class Restarts:
    """Takes the game down for a change and up again; it is to be ready in `ready_seconds`."""

    def __init__(self, game: Game, *, ready_seconds: float) -> None:
        self._game = game
        self._ready_seconds = ready_seconds

    def is_up(self) -> bool:
        """Return whether the game has a process."""
        return self._game.status.state not in AT_REST

    async def around(
        self,
        change: Callable[[], Awaitable[Outcome]],
        undo: Callable[[], Awaitable[None]] | None,
        options: ChangeOptions,
        progress: Progress,
        *,
        by: str,
    ) -> Outcome:
        """Make a change with the game at rest; a game that ran is started again, whatever comes.

        Raises `GameIsRunning`, `GameBusy`, what `change` raises, and `GameNotReady` when the game
        doesn't come up; then `undo` has been done if the options ask for it.
        """
        was_up = self.is_up()
        if was_up and not options.restart:
            raise GameIsRunning
        if was_up:
            progress.report(0.6, "Stops the game.")
            await self._game.stop(by=by, reason=_REASON, for_good=False)
        try:
            progress.report(0.8, "Puts the files in place.")
            async with exclusive_world(self._game, "a change of mods"):
                outcome = await change()
        except BaseException:
            if was_up:
                with contextlib.suppress(ProblemError):
                    await start_when_free(self._game, by=by)
            raise
        if was_up:
            await self._bring_up(outcome, undo, options, progress, by=by)
        return outcome

    async def _bring_up(
        self,
        outcome: Outcome,
        undo: Callable[[], Awaitable[None]] | None,
        options: ChangeOptions,
        progress: Progress,
        *,
        by: str,
    ) -> None:
        progress.report(0.9, "Starts the game.")
        reason = await self._start(by)
        if reason is None:
            outcome["ready"] = True
            return
        if undo is None or not options.rollback_if_not_ready:
            raise GameNotReady(
                f"The mods were changed, but then the game was not ready: {reason} "
                "POST /mods/rollback brings the former mods back.",
                rolled_back=False,
                ready=False,
            )
        progress.report(0.95, "Brings the former mods back.")
        async with self._stopped("bringing back the former mods", by=by):
            await undo()
        again = await self._start(by)
        ending = "and the game runs." if again is None else f"and still it is not ready: {again}"
        raise GameNotReady(
            f"With the new mods the game was not ready: {reason} "
            f"The former mods are back, {ending}",
            rolled_back=True,
            ready=again is None,
        )

    @contextlib.asynccontextmanager
    async def _stopped(self, purpose: str, *, by: str) -> AsyncIterator[None]:
        """Take the world from a game that keeps crashing, and being started again on its own."""

        async def stop() -> None:
            await self._game.stop(by=by, reason=_RETURN, for_good=False)

        await stop()
        async with exclusive_world(self._game, purpose, stop=stop):
            yield

    async def _start(self, by: str) -> str | None:
        """Start the game, and return None when it is ready, else why it isn't."""
        try:
            await start_when_free(self._game, by=by)
            status = await self._game.wait_for(
                GameState.RUNNING, *AT_REST, timeout=self._ready_seconds
            )
        except TimeoutError:
            return f"It took more than {self._ready_seconds:g} seconds."
        except ProblemError as error:
            return error.detail or error.title
        if status.state is GameState.RUNNING:
            return None
        return status.reason or f"It is {status.state}."
