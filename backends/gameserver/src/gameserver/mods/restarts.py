"""The game around a change of mods: stopped for it, and watched until it is ready again.

The game reads mods only when it starts, and keeps their files open: replacing them under it can
crash it much later, so a change never happens while it runs. It is refused, or the game is
restarted for it, once everything is fetched and checked.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from pydantic import JsonValue

from bedplate.problems import Conflict
from gameserver.mods.exceptions import GameIsRunning
from gameserver.mods.schemas import ChangeOptions
from gameserver.operations.progress import Progress
from gameserver.process.game import Game, exclusive_world, start_until_ready, stopped_game
from gameserver.status import AT_REST

Outcome = dict[str, JsonValue]


class GameNotReady(Conflict):
    """The game didn't become ready with the mods that were changed."""

    code = "game_not_ready"


@dataclass(frozen=True)
class Restarts:
    """Stops the game for a change and starts it again; it must be ready within `ready_seconds`."""

    game: Game
    ready_seconds: float

    def check_allowed(self, options: ChangeOptions) -> None:
        """Raise `GameIsRunning` unless the game is stopped or may be restarted."""
        if self._is_up() and not options.restart:
            raise GameIsRunning

    async def around(
        self,
        change: Callable[[], Awaitable[Outcome]],
        undo: Callable[[], Awaitable[None]] | None,
        options: ChangeOptions,
        progress: Progress,
        *,
        by: str,
    ) -> Outcome:
        """Make a change while the game is stopped; a game that ran is started again in any case.

        Raises `GameIsRunning`, `GameBusy`, what `change` raises, and `GameNotReady` when the game
        isn't ready afterwards; then `undo` has run if the options ask for it.
        """
        self.check_allowed(options)
        was_up = self._is_up()
        if was_up:
            progress.report(0.6, "Stops the game.")
        reason = "The mods are changed."
        async with stopped_game(self.game, "a change of mods", by=by, reason=reason):
            progress.report(0.8, "Puts the files in place.")
            outcome = await change()
        if was_up:
            undo = undo if options.rollback_if_not_ready else None
            await self._bring_up(undo, progress, by=by)
            outcome["ready"] = True
        return outcome

    def _is_up(self) -> bool:
        return self.game.status.state not in AT_REST

    async def _bring_up(
        self, undo: Callable[[], Awaitable[None]] | None, progress: Progress, *, by: str
    ) -> None:
        progress.report(0.9, "Starts the game.")
        reason = await start_until_ready(self.game, by=by, seconds=self.ready_seconds)
        if reason is None:
            return
        if undo is None:
            raise GameNotReady(
                f"The mods were changed, but then the game was not ready: {reason} "
                "POST /mods/rollback brings the former mods back.",
                rolled_back=False,
                ready=False,
            )

        async def stop() -> None:  # again if it crashed, and was restarted, meanwhile
            await self.game.stop(by=by, reason="The former mods are brought back.", for_good=False)

        progress.report(0.95, "Brings the former mods back.")
        await stop()
        async with exclusive_world(self.game, "bringing back the former mods", stop=stop):
            await undo()
        again = await start_until_ready(self.game, by=by, seconds=self.ready_seconds)
        ending = "and the game runs." if again is None else f"and still it is not ready: {again}"
        raise GameNotReady(
            f"With the new mods the game was not ready: {reason} "
            f"The former mods are back, {ending}",
            rolled_back=True,
            ready=again is None,
        )
