"""Commands go into the game one at a time, each when the last one was read."""

import asyncio
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from gameserver.audit.service import Audit
from gameserver.console import command_input
from gameserver.console.command_input import CommandInput
from gameserver.console.exceptions import ConsoleBusy
from gameserver.console.facts import DEAD_AFTER, Facts
from gameserver.console.service import Console
from gameserver.events import EventKind, Events


@dataclass
class Pipe:
    """A pipe whose other end reads when the test says so."""

    content: bytes = b""
    reads: list[bytes] = field(default_factory=list)

    def write(self, data: bytes) -> bool:
        """Take what is written."""
        self.content += data
        return True

    def unread(self) -> int:
        """Return how many bytes nobody has read."""
        return len(self.content)

    def read(self) -> None:
        """Read everything at once, as the game does."""
        self.reads.append(self.content)
        self.content = b""


@pytest.fixture
def pipe() -> Pipe:
    """Give an empty pipe."""
    return Pipe()


async def test_a_line_waits_until_the_last_one_was_read(pipe: Pipe) -> None:
    """No read ever returns two commands."""
    commands = CommandInput(pipe)
    await commands.type("/announce The server is stopping.")
    second = asyncio.create_task(commands.type("/stop"))
    await asyncio.sleep(0.05)
    assert pipe.content == b"/announce The server is stopping.\n"
    pipe.read()
    commands.take_echo()
    await asyncio.wait_for(second, 10)
    pipe.read()
    assert pipe.reads == [b"/announce The server is stopping.\n", b"/stop\n"]


async def test_lines_that_wait_together_go_in_one_by_one(pipe: Pipe) -> None:
    """Two callers that wait for the same echo don't both write when it comes."""
    commands = CommandInput(pipe)
    await commands.type("/autosavenow")
    pipe.read()
    waiting = [asyncio.create_task(commands.type(line)) for line in ("/time", "/stop")]
    await asyncio.sleep(0)  # now both wait
    commands.take_echo()
    await asyncio.wait_for(waiting[0], 10)
    await asyncio.sleep(0)
    assert pipe.content == b"/time\n"
    pipe.read()
    commands.take_echo()
    await asyncio.wait_for(waiting[1], 10)
    assert pipe.content == b"/stop\n"


async def test_a_line_that_was_read_and_not_echoed_is_given_a_moment(pipe: Pipe) -> None:
    """Chat has no echo; the next line comes a moment later, an echo makes it come at once."""
    commands = CommandInput(pipe)
    loop = asyncio.get_running_loop()
    await commands.type("hello")
    pipe.read()
    before = loop.time()
    await commands.type("/time")
    assert loop.time() - before >= command_input.SPACING_SECONDS * 0.9


async def test_a_game_that_does_not_read_refuses_after_a_while(
    pipe: Pipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first command is in the pipe; what follows is refused, and is not sent later."""
    monkeypatch.setattr(command_input, "READ_SECONDS", 0.05)
    commands = CommandInput(pipe)
    await commands.type("/kick Bob bye")
    for _ in range(2):
        with pytest.raises(ConsoleBusy, match="doesn't read"):
            await commands.type("/whitelist add Ada")
    assert pipe.content == b"/kick Bob bye\n"
    pipe.read()
    await commands.type("/time")
    assert pipe.content == b"/time\n"


async def test_a_dead_console_is_noticed(
    pipe: Pipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After three commands that the game didn't take there is one event; an echo ends the state."""
    monkeypatch.setattr(command_input, "READ_SECONDS", 0.01)
    events, kinds = Events(), list[EventKind]()
    events.listen(lambda event: kinds.append(event.kind))
    console = Console(Facts(events), Audit(tmp_path))
    console.accept_commands(pipe, "running")
    assert not (await console.send("/time", by="ada", wait=0.01)).echoed
    for _ in range(DEAD_AFTER):
        assert not console.facts.current.console_dead or kinds == [EventKind.CONSOLE_DEAD]
        with pytest.raises(ConsoleBusy):
            await console.send("/time", by="ada", wait=0.01)
    assert console.facts.current.console_dead
    assert kinds == [EventKind.CONSOLE_DEAD]
    console.feed(b"5.9.2026 22:08:03 [Server Notification] Handling Console Command /time \n" * 2)
    console.end()
    assert not console.facts.current.console_dead
