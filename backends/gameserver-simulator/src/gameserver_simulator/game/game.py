"""The game: its parts, and the loop that everything happens in, one thing after another."""

import heapq
import itertools
import sqlite3
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from queue import Empty, SimpleQueue

from gameserver_simulator.game import commands, listening, shutdown, startup
from gameserver_simulator.game.backups import Backups
from gameserver_simulator.game.ending import Crashed, Ended, StopRequested
from gameserver_simulator.game.fault_modes import FaultModes
from gameserver_simulator.game.json_files import Unreadable
from gameserver_simulator.game.log import Log
from gameserver_simulator.game.mods import Mods
from gameserver_simulator.game.options import Options
from gameserver_simulator.game.players import Players
from gameserver_simulator.game.saving import Saving
from gameserver_simulator.game.server_config import ServerConfig
from gameserver_simulator.game.sessions import Sessions
from gameserver_simulator.game.texts import Texts
from gameserver_simulator.game.world import World

CONFIG_DELAY = 1.0
"""Seconds between a change of the settings and the file that holds it."""

CRASHED = 134
"""Exit code of a .NET program that ends by an unhandled exception, as a shell reports SIGABRT."""

FAILED = 1
MAX_EXIT_CODE = 0xFF


class Game:
    """A game from its first line to its exit code.

    Other threads (standard input, signals, the off-thread part of a save) hand it what to do
    with `post`; only the loop touches the game's state.
    """

    world: World

    def __init__(self, options: Options) -> None:
        self.options = options
        self.started = time.monotonic()
        self.log = Log(options.data_path / "Logs")
        self.config = ServerConfig(options.data_path, options.version)
        self.players = Players(options.data_path, self.config.values["DefaultRoleCode"])
        self.sessions: Sessions = Sessions(self)
        self.saving: Saving = Saving(self)
        self.backups: Backups = Backups(self)
        self.mods: Mods = Mods(self)
        self.fault_modes: FaultModes = FaultModes(self)
        self.ready = False
        self.stop_reason: str | None = None
        self.requested_exit_code = 0
        self.signalled = threading.Event()
        self.free_mb = options.disk_free_mb
        self._inbox: SimpleQueue[Callable[[], None]] = SimpleQueue()
        self._due: list[tuple[float, int, Callable[[], None]]] = []
        self._order = itertools.count()

    @property
    def texts(self) -> Texts:
        """The texts of the server's language."""
        return Texts(self.options.language or str(self.config.values["ServerLanguage"]))

    @property
    def uptime(self) -> float:
        """Seconds since the start."""
        return time.monotonic() - self.started

    def run(self) -> int:
        """Run until the end, and return the exit code."""
        self.options.data_path.mkdir(parents=True, exist_ok=True)
        self.log.open()
        listening.begin(self)
        try:
            return self._exit_code(self._live())
        except Crashed as crash:
            return self._exit_code(self._crash(str(crash)))
        except (OSError, Unreadable, sqlite3.Error) as error:
            return self._exit_code(self._crash(f"{type(error).__name__}: {error}", FAILED))

    def post(self, action: Callable[[], None]) -> None:
        """Have the loop do something; for other threads."""
        self._inbox.put(action)

    def later(self, seconds: float, action: Callable[[], None]) -> None:
        """Have the loop do something in `seconds`."""
        heapq.heappush(self._due, (time.monotonic() + seconds, next(self._order), action))

    def every(self, seconds: float, action: Callable[[], None]) -> None:
        """Have the loop do something again and again."""

        def again() -> None:
            action()
            self.later(seconds, again)

        self.later(seconds, again)

    def pause(self, seconds: float | None) -> None:
        """Let time pass, `None` for ever. Raises `StopRequested` when a signal arrives."""
        crash_after = self.options.crash_after
        left = None if crash_after is None else max(0.0, crash_after - self.uptime)
        crashes = left is not None and (seconds is None or left <= seconds)
        if self.signalled.wait(left if crashes else seconds):
            raise StopRequested
        if crashes:
            self.fault_modes.crash()

    def request_stop(self, reason: str) -> None:
        """Let the loop end."""
        self.stop_reason = self.stop_reason or reason

    def _live(self) -> int:
        try:
            with suppress(StopRequested):
                startup.run(self)
                self.ready = True
                self._begin_routine()
                self._loop()
            shutdown.run(self)
        except Ended as ended:
            return ended.exit_code
        return self.requested_exit_code

    def _begin_routine(self) -> None:
        self.config.changed = self._save_config_soon
        self._autosave_later()
        self.fault_modes.begin()
        for line in self.config.startup_commands:
            self.take_command(line)

    def _save_config_soon(self) -> None:
        self.later(CONFIG_DELAY, self.config.save)

    def _autosave_later(self) -> None:
        def save() -> None:
            self.saving.autosave()
            self._autosave_later()

        given = self.options.autosave_seconds
        self.later(given if given is not None else self.config.autosave_seconds, save)

    def _loop(self) -> None:
        while self.stop_reason is None:
            while self._due and self._due[0][0] <= time.monotonic():
                heapq.heappop(self._due)[2]()
            wait = self._due[0][0] - time.monotonic() if self._due else None
            with suppress(Empty):
                self._inbox.get(timeout=None if wait is None else max(wait, 0.0))()

    def take_command(self, line: str) -> None:
        """Handle one line of standard input."""
        commands.handle(self, line)

    def _crash(self, what: str, code: int = CRASHED) -> int:
        text = (
            f"{what}\n   at Vintagestory.Server.ServerMain.Process()"
            "\n   at Vintagestory.Server.ServerProgram.Main(String[] rawArgs)"
        )
        self.log.write("Fatal", f"Caught unhandled exception. Shutting down server.\n{text}")
        self.log.crash(f"Game Version: v{self.options.version} (Stable)\n{text}")
        return code

    def _exit_code(self, code: int) -> int:
        return (code if self.options.exit_code is None else self.options.exit_code) & MAX_EXIT_CODE
