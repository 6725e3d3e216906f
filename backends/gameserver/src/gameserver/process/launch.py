"""From a program to a running process."""

import asyncio
import os
from pathlib import Path

from gameserver.console.service import Console
from gameserver.layout import Layout
from gameserver.process.checks import check_start
from gameserver.process.child import Child
from gameserver.process.exceptions import GameAlreadyRunning, GameNotInstalled, StartRefused
from gameserver.process.ownership import ProcessLock
from gameserver.process.program import Program, Programs
from gameserver.settings import GameServerSettings


class Launcher:
    """Starts the game's process.

    process_lock: the lock that the process inherits.
    """

    def __init__(self, settings: GameServerSettings, layout: Layout, programs: Programs) -> None:
        self.process_lock = ProcessLock(layout)
        self._settings = settings
        self._layout = layout
        self._programs = programs

    async def check(self) -> Program:
        """Return the program to start. Raises `GameNotInstalled`, `StartRefused`."""
        program = await self._programs.find()
        if program is None:
            raise GameNotInstalled(self._programs.installation_hint())
        await asyncio.to_thread(
            check_start,
            program,
            self._layout,
            port=self._settings.game_port,
            min_free_megabytes=self._settings.min_free_megabytes,
        )
        return program

    async def spawn(self, program: Program, console: Console) -> Child:
        """Start the process. Raises `StartRefused`, and `GameAlreadyRunning` when one runs."""
        lock = self.process_lock.acquire()
        if lock is None:
            raise GameAlreadyRunning("running")
        environment = self._programs.environment()
        try:
            await asyncio.to_thread(Path(environment["SQLITE_TMPDIR"]).mkdir, exist_ok=True)
            return await Child.spawn(
                program.command,
                folder=program.folder or self._layout.server_data,
                environment=environment,
                inherited=[lock],
                on_output=console.feed,
                on_error_output=console.feed_error,
            )
        except OSError as error:
            why = (error.strerror or "the system refused").lower()
            raise StartRefused(f"The game's program can't be started: {why}.") from None
        finally:
            os.close(lock)
