"""The game's console: what it prints is followed, what is typed is answered."""

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import replace
from datetime import datetime
from typing import Final

from bedplate import clock
from bedplate.realtime import Broadcast
from gameserver.audit.service import Audit
from gameserver.console.commands import checked_command
from gameserver.console.exceptions import ConsoleBusy, GameNotRunning
from gameserver.console.facts import Facts
from gameserver.console.flood import FloodGate
from gameserver.console.line_waiter import LineWaiter
from gameserver.console.lines import (
    MANAGER,
    STANDARD_ERROR,
    ConsoleLine,
    MessageJoiner,
    encode,
    weigh,
)
from gameserver.console.online_players import OnlinePlayers
from gameserver.console.reader import LineReader
from gameserver.console.replies import CommandReply, ReplyCollector
from gameserver.console.sanitize import redact_command, redact_message, sanitize

CAPACITY: Final = 10_000
"""Lines that are kept for those who connect later."""

JOIN_SECONDS: Final = 0.02
"""How long a message is held back, in case that further lines of it follow."""

REPLY_SECONDS: Final = 0.4
TAIL: Final = 20
MAX_COMMANDS: Final = 50
"""Commands that may wait for their turn."""

Write = Callable[[bytes], bool]


class Console:
    """Follows one game after the other.

    lines: the messages, numbered; whoever follows them never holds the game back.
    facts: what they mean. online: who plays.
    """

    def __init__(self, facts: Facts, audit: Audit, *, flood_lines_per_second: int = 2_000) -> None:
        self.lines = Broadcast(CAPACITY, encode, weigh=weigh)
        self.facts = facts
        self._on_facts: Callable[[], None] = lambda: None
        self._audit = audit
        self._flood = FloodGate(flood_lines_per_second, self._publish)
        self._tail: deque[ConsoleLine] = deque(maxlen=TAIL)
        self._watches: list[LineWaiter] = []
        self._collector: ReplyCollector | None = None
        self._turns = asyncio.Lock()
        self._waiting = 0
        self._write: Write | None = None
        self._state = "stopped"
        self._flush: asyncio.TimerHandle | None = None
        self._begin_streams()

    @property
    def online(self) -> OnlinePlayers:
        """Who plays."""
        return self.facts.online

    def _begin_streams(self) -> None:
        self._output, self._messages = LineReader(), MessageJoiner()
        self._errors = LineReader()

    # What the process does.

    def begin(self, on_facts: Callable[[], None] = lambda: None) -> None:
        """Expect a new run of the game; `on_facts` is called when its lines change `facts`."""
        self._on_facts = on_facts
        self._begin_streams()
        self._tail.clear()
        self.facts.begin()

    def accept_commands(self, write: Write | None, state: str) -> None:
        """Pass commands on to the game; without `write` say that it is `state`."""
        self._write, self._state = write, state

    def feed(self, chunk: bytes) -> None:
        """Take what the game wrote to standard output. Never waits."""
        at = clock.now()
        for text in self._output.feed(chunk):
            self._add(sanitize(text), at)
        self._hold_back()

    def feed_error(self, chunk: bytes) -> None:
        """Take what came on standard error."""
        at = clock.now()
        for text in self._errors.feed(chunk):
            self._take(ConsoleLine(at, STANDARD_ERROR, sanitize(text)))

    def end(self) -> None:
        """Take what the game left unfinished: it has ended."""
        at = clock.now()
        for text in self._output.end():
            self._add(sanitize(text), at)
        self._flush_message()
        for text in self._errors.end():
            self._take(ConsoleLine(at, STANDARD_ERROR, sanitize(text)))
        self._flood.close()
        for watch in self._watches:
            watch.close()
        self.facts.end()

    def say(self, text: str) -> None:
        """Show a line of the manager's own."""
        self._publish(ConsoleLine(clock.now(), MANAGER, text))

    def tail(self) -> list[str]:
        """Return the last lines of this run, shown or not, without secrets."""
        return [redact_message(line.text) for line in self._tail]

    # What others do.

    async def send(
        self,
        command: str,
        *,
        by: str,
        wait: float = REPLY_SECONDS,
        allow_selectors: bool = False,
    ) -> CommandReply:
        """Type a command, and return what the game answers within `wait` seconds.

        One command has its turn after the other, so that their answers don't mix. Raises
        `CommandRefused`, `GameNotRunning`, `ConsoleBusy`.
        """
        checked = checked_command(command, allow_selectors=allow_selectors)
        async with self._turn():
            self._writer()
            await self._audit.record(by, "command", command=redact_command(checked))
            self._collector = ReplyCollector(checked)
            try:
                self.type(checked)
                return await self._collector.collect(wait)
            finally:
                self._collector = None

    def type(self, line: str) -> None:
        """Write a line to the game. Raises `GameNotRunning`, `ConsoleBusy`."""
        if not self._writer()(f"{line}\n".encode()):
            raise ConsoleBusy

    @contextlib.contextmanager
    def lines_matching(self, matches: Callable[[ConsoleLine], bool]) -> Iterator[LineWaiter]:
        """Keep the lines that match from now on: begin before you send what causes them."""
        watch = LineWaiter(matches)
        self._watches.append(watch)
        try:
            yield watch
        finally:
            self._watches.remove(watch)

    @contextlib.asynccontextmanager
    async def _turn(self) -> AsyncIterator[None]:
        if self._waiting >= MAX_COMMANDS:
            raise ConsoleBusy
        self._waiting += 1
        try:
            async with self._turns:
                yield
        finally:
            self._waiting -= 1

    def _writer(self) -> Write:
        if self._write is None:
            raise GameNotRunning(self._state)
        return self._write

    # From a line of text to a message that is shown.

    def _add(self, text: str, at: datetime) -> None:
        message = self._messages.add(text, at)
        if message is not None:
            self._take(message)

    def _hold_back(self) -> None:
        if self._flush is None and self._messages.pending:
            loop = asyncio.get_running_loop()
            self._flush = loop.call_later(JOIN_SECONDS, self._flush_message)

    def _flush_message(self) -> None:
        if self._flush is not None:
            self._flush.cancel()
            self._flush = None
        message = self._messages.flush()
        if message is not None:
            self._take(message)

    def _take(self, line: ConsoleLine) -> None:
        routine = self.facts.take(line)
        if self._collector is not None:
            self._collector.offer(line, routine=routine)
        for watch in self._watches:
            watch.offer(line)
        self._tail.append(line)
        self._flood.show(line, important=routine)
        if routine:
            self._on_facts()

    def _publish(self, line: ConsoleLine) -> None:
        text = redact_message(line.text)
        self.lines.publish(line if text == line.text else replace(line, text=text))
