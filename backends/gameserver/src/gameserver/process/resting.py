"""What the status shows of the game while it's at rest."""

import contextlib
from collections.abc import Iterator
from dataclasses import replace

from bedplate import clock
from gameserver.process.program import Programs
from gameserver.process.status_board import StatusBoard
from gameserver.status import AT_REST, GameState


class Rest:
    """Shows which program would run, or that there is none."""

    def __init__(self, board: StatusBoard, programs: Programs) -> None:
        self._board = board
        self._programs = programs

    async def refresh(self) -> None:
        """Look again which program there is."""
        program = await self._programs.find()
        state = self._board.status.state
        if program is None and state in {GameState.STOPPED, GameState.CRASHED}:
            self._board.become(GameState.NOT_INSTALLED)
        elif program is not None and state is GameState.NOT_INSTALLED:
            self._board.become(GameState.STOPPED)
        if self._board.status.state in AT_REST:
            version = program.version if program else None
            simulated = program is not None and program.simulated
            self._board.show(replace(self._board.status, version=version, simulated=simulated))

    @contextlib.contextmanager
    def installing(self, purpose: str) -> Iterator[None]:
        """Show that something is installed, and afterwards what was shown before."""
        before = self._board.status
        self._board.become(GameState.INSTALLING, reason=purpose)
        try:
            yield
        finally:
            if self._board.status.state is GameState.INSTALLING:
                self._board.show(replace(before, since=clock.now()))
