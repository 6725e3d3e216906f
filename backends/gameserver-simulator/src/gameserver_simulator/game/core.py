"""The part of the game that all others build on: its data, its log, and its schedule."""

import heapq
import itertools
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import NoReturn

from gameserver_simulator.game.exceptions import Crashed, Ended, StopRequested
from gameserver_simulator.game.log import Log
from gameserver_simulator.game.options import Options
from gameserver_simulator.game.players import Players
from gameserver_simulator.game.server_config import ServerConfig
from gameserver_simulator.game.translations import translate
from gameserver_simulator.game.world import World

Action = Callable[[], None]


class Core:
    """The state of a game, which only its loop changes.

    Other threads (standard input, signals, the off-thread part of a save) hand actions to the
    loop with `post`.
    """

    world: World
    """Set when the start loads the world."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self.started = time.monotonic()
        self.log = Log(options.data_path / "Logs", options.time_separator)
        self.config = ServerConfig(options.data_path, options.version)
        self.players = Players(options.data_path, self.config.values["DefaultRoleCode"])
        self.stop_reason: str | None = None
        self.is_configured = False
        """Whether the settings have been read, so that they may be written."""
        self.last_error: str | None = None
        self.requested_exit_code = 0
        self.signalled = threading.Event()
        self.free_mb = options.disk_free_mb
        self._inbox: SimpleQueue[Action] = SimpleQueue()
        self._due: list[tuple[float, int, Action]] = []
        self._order = itertools.count()

    def translate(self, key: str, *values: object) -> str:
        """Return a text in the server's language, with its values filled in."""
        language = self.options.language or str(self.config.values["ServerLanguage"])
        return translate(language, key, *values)

    @property
    def uptime(self) -> float:
        """Seconds since the start."""
        return time.monotonic() - self.started

    def post(self, action: Action) -> None:
        """Have the loop run an action; for other threads."""
        self._inbox.put(action)

    def later(self, seconds: float, action: Action) -> None:
        """Have the loop run an action in `seconds`."""
        heapq.heappush(self._due, (time.monotonic() + seconds, next(self._order), action))

    def every(self, seconds: float, action: Action) -> None:
        """Have the loop run an action again and again, first in `seconds`."""

        def again() -> None:
            action()
            self.later(seconds, again)

        self.later(seconds, again)

    def pause(self, seconds: float | None) -> None:
        """Let time pass, `None` for ever. Raises `StopRequested` at a signal, and `Crashed`."""
        crash_after = self.options.crash_after
        left = None if crash_after is None else max(0.0, crash_after - self.uptime)
        crashes = left is not None and (seconds is None or left <= seconds)
        if self.signalled.wait(left if crashes else seconds):
            raise StopRequested
        if crashes:
            raise Crashed

    def request_stop(self, reason: str) -> None:
        """End the loop; the first reason counts."""
        self.stop_reason = self.stop_reason or reason

    def end_itself(self, reason: str, fatal: str, *, error: str | None = None) -> NoReturn:
        """End for a failure of the game's own. Raises `StopRequested`, or `Ended`.

        It is an orderly shutdown, in which only the stop reason tells it from a wish, and an
        error as the last line, if there is one. With `--fatal-self-kills` the game logs `fatal`
        and ends at once.
        """
        if self.options.fatal_self_kills:
            self.log.write("Fatal", fatal)
            raise Ended(1)
        self.request_stop(reason)
        self.last_error = error
        raise StopRequested

    def loop(self) -> None:
        """Run posted and scheduled actions, one after another, until a stop is requested."""
        while self.stop_reason is None:
            while self._due and self._due[0][0] <= time.monotonic():
                heapq.heappop(self._due)[2]()
            wait = self._due[0][0] - time.monotonic() if self._due else None
            with suppress(Empty):
                self._inbox.get(timeout=None if wait is None else max(wait, 0.0))()
