"""The game's console: its output is followed, and commands are answered."""

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import replace
from typing import Final

from bedplate import clock
from bedplate.realtime import Broadcast
from gameserver.audit.service import Audit
from gameserver.console.command_input import CommandInput, InputPipe
from gameserver.console.exceptions import ConsoleBusy, GameNotRunning
from gameserver.console.facts import Facts, needs_proof
from gameserver.console.lines import (
    MANAGER,
    STANDARD_ERROR,
    ConsoleLine,
    LineReader,
    MessageJoiner,
    encode,
    size_of,
)
from gameserver.console.main_log import MainLog
from gameserver.console.online_players import OnlinePlayers
from gameserver.console.proofs import Proofs
from gameserver.console.replies import CommandReply, LineWaiter, Matches, ReplyCollector, is_echo
from gameserver.console.sanitize import check_command, redact_command, redact_message, sanitize

CAPACITY: Final = 10_000
"""Lines that are kept for those who connect later."""

JOIN_SECONDS: Final = 0.02
"""How long a message is held back, in case further lines of it follow."""

REPLY_SECONDS: Final = 0.4
TAIL: Final = 20
FLOOD_SECONDS: Final = 1.0
MAX_COMMANDS: Final = 50
"""Commands that may wait for each other."""


class Console:
    """The console of one run of the game after the other.

    A line goes from the process' pipe through reader, sanitizer and joiner to facts, replies,
    waiters and followers. Nobody who follows the lines ever makes the game wait.

    lines     the messages, numbered
    facts     what they mean
    online    the players who are online
    """

    def __init__(
        self,
        facts: Facts,
        audit: Audit,
        *,
        flood_lines_per_second: int = 2_000,
        log: MainLog | None = None,
    ) -> None:
        self.lines = Broadcast(CAPACITY, encode, weigh=size_of)
        self.facts = facts
        self._on_facts: Callable[[], None] = lambda: None
        self._audit = audit
        self._flood = FloodGate(flood_lines_per_second, self._publish)
        self._tail: deque[ConsoleLine] = deque(maxlen=TAIL)
        self._waiters: list[LineWaiter] = []
        self._collector: ReplyCollector | None = None
        self._command_lock = asyncio.Lock()
        self._waiting_commands = 0
        self._input: CommandInput | None = None
        self._state = "stopped"
        self._flush_timer: asyncio.TimerHandle | None = None
        self._proofs = None if log is None else Proofs(log, self._proven)
        facts.prove = None if self._proofs is None else self._proofs.add
        self._begin_streams()

    @property
    def online(self) -> OnlinePlayers:
        """The players who are online."""
        return self.facts.online

    def _begin_streams(self) -> None:
        self._output, self._messages = LineReader(), MessageJoiner()
        self._errors = LineReader()

    # Called by the process.

    def begin(self, on_facts: Callable[[], None] = lambda: None) -> None:
        """Expect a new run of the game; `on_facts` is called when its lines change `facts`."""
        self._on_facts = on_facts
        self._begin_streams()
        self._tail.clear()
        if self._proofs is not None:
            self._proofs.begin()
        self.facts.begin()

    def accept_commands(self, pipe: InputPipe | None, state: str) -> None:
        """Pass commands to `pipe`; None refuses them, since the game is in this `state`."""
        self._input = None if pipe is None else CommandInput(pipe)
        self._state = state

    def feed(self, chunk: bytes) -> None:
        """Take a chunk of standard output. Never waits."""
        self._take_output(self._output.feed(chunk))
        if self._flush_timer is None and self._messages.pending:
            loop = asyncio.get_running_loop()
            self._flush_timer = loop.call_later(JOIN_SECONDS, self._flush_message)

    def feed_error(self, chunk: bytes) -> None:
        """Take a chunk of standard error. Never waits."""
        self._take_errors(self._errors.feed(chunk))

    async def settle(self) -> None:
        """Take what the game left unfinished: its process has ended."""
        self._take_output(self._output.end())
        self._flush_message()
        self._take_errors(self._errors.end())
        if self._proofs is not None:
            await self._proofs.finish()

    def end(self) -> None:
        """End the run: whoever waits for a line learns that none will follow."""
        self._take_output(self._output.end())
        self._flush_message()
        self._take_errors(self._errors.end())
        self._flood.close()
        for waiter in self._waiters:
            waiter.close()
        self.facts.end()

    def say(self, text: str) -> None:
        """Show a line of the manager's own."""
        self._publish(ConsoleLine(clock.now(), MANAGER, text))

    def tail(self) -> list[str]:
        """Return the last lines of this run, without secrets; also those of a flood."""
        return [redact_message(line.text) for line in self._tail]

    # Called by everybody else.

    async def send(
        self, command: str, *, by: str, wait: float = REPLY_SECONDS, allow_selectors: bool = False
    ) -> CommandReply:
        """Type a command, and return the game's reply within `wait` seconds.

        Commands are sent one after the other, so that their replies don't mix. Raises
        `CommandRefused`, `GameNotRunning`, `ConsoleBusy`.
        """
        checked = check_command(command, allow_selectors=allow_selectors)
        async with self._command_turn():
            self._require_input()
            await self._audit.record(by, "command", command=redact_command(checked))
            self._collector = ReplyCollector(checked)
            try:
                await self._type(checked)
                reply = await self._collector.collect(wait)
            finally:
                self._collector = None
        if not reply.echoed:
            self.facts.command_ignored()
        return reply

    async def type(self, command: str) -> None:
        """Type a command of the manager's own, before those that wait for their turn.

        Raises `CommandRefused`, `GameNotRunning`, `ConsoleBusy`.
        """
        await self._type(check_command(command, allow_selectors=True))

    async def _type(self, checked: str) -> None:
        try:
            await self._require_input().type(checked)
        except ConsoleBusy:
            self.facts.command_ignored()
            raise

    @contextlib.asynccontextmanager
    async def lines_matching(self, matches: Matches) -> AsyncIterator[LineWaiter]:
        """Collect the lines from now on whose level and first line match.

        They are the game's own: what players type isn't among them. Enter the context before you
        cause them.
        """
        waiter = LineWaiter(matches)
        async with contextlib.AsyncExitStack() as stack:
            if self._proofs is not None:
                await stack.enter_async_context(self._proofs.watching(matches))
            self._waiters.append(waiter)
            stack.callback(self._waiters.remove, waiter)
            yield waiter

    @contextlib.asynccontextmanager
    async def _command_turn(self) -> AsyncIterator[None]:
        if self._waiting_commands >= MAX_COMMANDS:
            raise ConsoleBusy
        self._waiting_commands += 1
        try:
            async with self._command_lock:
                yield
        finally:
            self._waiting_commands -= 1

    def _require_input(self) -> CommandInput:
        if self._input is None:
            raise GameNotRunning(self._state)
        return self._input

    # From a line of text to a message that is shown.

    def _take_output(self, texts: Iterable[str]) -> None:
        at = clock.now()
        for text in texts:
            if (message := self._messages.add(sanitize(text), at)) is not None:
                self._take(message)

    def _take_errors(self, texts: Iterable[str]) -> None:
        at = clock.now()
        for text in texts:
            self._take(ConsoleLine(at, STANDARD_ERROR, sanitize(text)))

    def _flush_message(self) -> None:
        if self._flush_timer is not None:
            self._flush_timer.cancel()
            self._flush_timer = None
        if (message := self._messages.flush()) is not None:
            self._take(message)

    def _take(self, line: ConsoleLine) -> None:
        routine = self.facts.take(line)
        if self._input is not None and is_echo(line):
            self._input.take_echo()
        if self._collector is not None:
            self._collector.offer(line, routine=routine)
        if line.authentic and any(waiter.matches(line) for waiter in self._waiters):
            self._take_awaited(line)
        self._tail.append(line)
        self._flood.show(line, important=routine)
        if routine:
            self._on_facts()

    def _proven(self, line: ConsoleLine, *, genuine: bool) -> None:
        if not genuine:
            self.facts.current.claimed.discard(line.text.partition("\n")[0])
            self.say("Ignored, since the game's own log doesn't have it: " + line.text[:200])
            return
        if _needs_proof(line) and self.facts.apply(line):
            self._on_facts()
        self._offer(line)

    def _take_awaited(self, line: ConsoleLine) -> None:
        if self._proofs is None:
            self._offer(line)
        elif not _needs_proof(line):  # else the facts have asked for it
            self._proofs.add(line)

    def _offer(self, line: ConsoleLine) -> None:
        for waiter in self._waiters:
            waiter.offer(line)

    def _publish(self, line: ConsoleLine) -> None:
        text = redact_message(line.text)
        self.lines.publish(line if text == line.text else replace(line, text=text))


def _needs_proof(line: ConsoleLine) -> bool:
    return needs_proof(line.level or "", line.text.partition("\n")[0])


class FloodGate:
    """Passes at most `max_lines` a second to `show`; important lines always pass.

    Only what people see is limited: the game's state follows from every line, before it gets here.
    """

    def __init__(self, max_lines: int, show: Callable[[ConsoleLine], None]) -> None:
        self._max_lines = max_lines
        self._show = show
        self._count = 0
        self._omitted = 0
        self._timer: asyncio.TimerHandle | None = None

    def show(self, line: ConsoleLine, *, important: bool) -> None:
        """Show a line, or count it as omitted."""
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(FLOOD_SECONDS, self.close)
        self._count += 1
        if important or self._count <= self._max_lines:
            self._show(line)
        else:
            self._omitted += 1

    def close(self) -> None:
        """End the second: show the notice that is due. The next line begins another."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._count = 0
        if self._omitted:
            text = f"A flood: {self._omitted} lines were omitted here."
            self._omitted = 0
            self._show(ConsoleLine(clock.now(), MANAGER, text))
