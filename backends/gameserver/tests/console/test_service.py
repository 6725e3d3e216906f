"""The console, from bytes to answers."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from gameserver.audit.service import Audit
from gameserver.console.exceptions import CommandRefused, ConsoleBusy, GameNotRunning
from gameserver.console.facts import Facts
from gameserver.console.sanitize import check_command
from gameserver.console.service import MAX_COMMANDS, Console
from gameserver.events import Events

STAMP = "5.9.2026 22:08:03 [Server "


@pytest.fixture
def audit(tmp_path: Path) -> Audit:
    """Give an audit of the test's own."""
    return Audit(tmp_path)


@pytest.fixture
def silent(audit: Audit) -> Console:
    """Give a console without a game, which shows 100 lines a second."""
    return Console(Facts(Events()), audit, flood_lines_per_second=100)


def says(console: Console, *messages: str) -> None:
    """Let the game print messages: `Notification] text`."""
    console.feed("".join(f"{STAMP}{message}\n" for message in messages).encode())


def texts(console: Console) -> list[str]:
    """Return what is shown so far."""
    return [entry.item.text for entry in console.lines.since(0)]


@dataclass
class Pipe:
    """The pipe to a game's input, with what its other end does."""

    on_write: Callable[[bytes], bool] = lambda _: True
    unread_bytes: int = 0

    def write(self, data: bytes) -> bool:
        """Hand over what is written."""
        return self.on_write(data)

    def unread(self) -> int:
        """Return how many bytes lie in the pipe."""
        return self.unread_bytes


def answering(console: Console, *answer: str) -> Pipe:
    """Return an input that echoes each command as the game does, and answers."""

    def write(data: bytes) -> bool:
        command = data.decode().rstrip("\n")
        loop = asyncio.get_running_loop()
        loop.call_soon(says, console, f"Notification] Handling Console Command {command} ", *answer)
        return True

    return Pipe(write)


async def test_a_message_is_held_back_for_its_further_lines(silent: Console) -> None:
    """Lines of one message that come apart are shown as one; the last is shown without a next."""
    async with silent.lines.follow(None) as follower:
        silent.feed(f"{STAMP}Notification] List of online Players\n".encode())
        silent.feed(b"[1] MKRhere [::1]:41206\n[2] Ot")
        silent.feed(b"her [::1]:41207\n")
        batch = await asyncio.wait_for(anext(follower), 10)
    assert [entry.item.text for entry in batch.items] == [
        "List of online Players\n[1] MKRhere [::1]:41206\n[2] Other [::1]:41207"
    ]


async def test_facts_are_read_before_the_callback(silent: Console) -> None:
    """`on_facts` finds in the facts what the line said."""
    seen: list[str | None] = []
    silent.begin(lambda: seen.append(silent.facts.current.phase))
    says(silent, "Notification] Entering runphase GameReady", "Event] x")
    assert seen == ["GameReady"]


async def test_errors_are_shown_but_prove_nothing(silent: Console) -> None:
    """Standard error is shown in its own level, and can't imitate the log."""
    silent.feed_error(
        f"{STAMP}Event] Dedicated Server now running on Port 1 and all ips!\n".encode()
    )
    silent.feed_error(b"half a li")
    silent.end()
    assert [entry.item.level for entry in silent.lines.since(0)] == ["Stderr", "Stderr"]
    assert silent.facts.current.ready_at is None
    assert silent.tail()[-1] == "half a li"


async def test_the_end_shows_what_was_held_back(silent: Console) -> None:
    """The last words of a game that dies without a line feed are shown."""
    silent.feed(f"{STAMP}Fatal] Disk space is be".encode())
    silent.end()
    assert texts(silent) == ["Disk space is be"]
    assert silent.facts.current.fatal == "Disk space is be"


async def test_a_flood_is_shown_in_part(silent: Console) -> None:
    """Of 20,000 lines few are shown, with a notice; those that matter all count and pass."""
    flood = ["Error] exception"] * 20_000
    flood[15_000] = "Event] Dedicated Server now running on Port 42420 and all ips!"
    says(silent, *flood)
    assert silent.facts.current.port == 42420
    assert silent.facts.current.errors >= 19_998
    assert len(texts(silent)) == 101
    async with silent.lines.follow(None) as follower:
        batch = await asyncio.wait_for(anext(follower), 10)
    (notice,) = (entry.item for entry in batch.items if entry.item.level == "Manager")
    assert notice.text == "A flood: 19899 lines were omitted here."


async def test_secrets_and_control_characters_are_not_shown(silent: Console) -> None:
    """A password that the game repeats, and colours, don't reach those who watch."""
    says(silent, "Notification] Handling Console Command /serverconfig password hunter2 ")
    says(silent, "Audit] Admin changes server config password to hunter2.", "Chat] \x1b[31mred")
    silent.end()
    assert "hunter2" not in repr(silent.lines.since(0)) + repr(silent.tail())
    assert texts(silent)[-1] == "red"


async def test_a_command_and_its_answer(silent: Console, audit: Audit) -> None:
    """The answer is what follows the echo, in lines, without what else is printed meanwhile."""
    answer = [
        "Chat] 0 | Bob: Server time: never",
        "Notification] Client 3 disconnected: ",
        "Notification] Server time: 1. May, Year 0, 08:00\nGame Speed: 60",
        "Warning] Server overloaded. A tick took 563ms to complete.",
        "Audit] command for Bob /land claim",
    ]
    silent.accept_commands(answering(silent, *answer), "running")
    reply = await silent.send(" /time ", by="ada", wait=10)
    assert reply.lines == ["Server time: 1. May, Year 0, 08:00", "Game Speed: 60"]
    assert reply.text == "Server time: 1. May, Year 0, 08:00\nGame Speed: 60"
    assert reply.echoed
    (entry,) = (await audit.page(limit=10)).items
    assert (entry.by, entry.action, entry.details) == ("ada", "command", {"command": "/time"})


async def test_what_was_printed_before_the_echo_is_no_answer(silent: Console) -> None:
    """Notifications from before the game took the command don't belong to its answer."""
    silent.accept_commands(answering(silent, "Notification] yes"), "running")
    says(silent, "Notification] before")
    assert (await silent.send("/x", by="ada", wait=10)).lines == ["yes"]


async def test_a_command_without_an_answer(silent: Console) -> None:
    """A command that succeeds in silence returns no lines after the bounded time."""
    silent.accept_commands(answering(silent), "running")
    reply = await silent.send("/announce hi", by="ada", wait=0.05)
    assert (reply.lines, reply.echoed) == ([], True)


async def test_a_game_that_hangs(silent: Console) -> None:
    """A game that doesn't take the command is distinguished from one that has no answer."""
    silent.accept_commands(Pipe(), "running")
    reply = await silent.send("/time", by="ada", wait=0.05)
    assert (reply.lines, reply.echoed) == ([], False)


async def test_chat_is_sent_without_waiting(silent: Console) -> None:
    """A line without / is chat, which the game never answers."""
    silent.accept_commands(Pipe(), "running")
    assert (await silent.send("hello", by="ada", wait=3600)).lines == []


async def test_answers_of_several_commands_dont_mix(silent: Console) -> None:
    """Commands that are sent at once have their turns, and each gets its own answer."""

    def write(data: bytes) -> bool:
        command = data.decode().strip()
        answer = f"Notification] answer to {command}"
        loop = asyncio.get_running_loop()
        echo = f"Notification] Handling Console Command {command} "
        loop.call_later(0.005, says, silent, echo, answer)
        return True

    silent.accept_commands(Pipe(write), "running")
    sent = [f"/x {number}" for number in range(5)]
    replies = await asyncio.gather(*(silent.send(item, by="ada", wait=10) for item in sent))
    assert [reply.lines for reply in replies] == [[f"answer to {item}"] for item in sent]


async def test_too_many_commands_at_once(silent: Console, monkeypatch: pytest.MonkeyPatch) -> None:
    """More commands than may wait are refused, the others have their turn."""
    monkeypatch.setattr("gameserver.console.command_input.SPACING_SECONDS", 0.001)
    pipe = Pipe(unread_bytes=1)  # the first waits for the game until all others have asked
    silent.accept_commands(pipe, "running")
    sends = [asyncio.ensure_future(silent.send("chat", by="ada")) for _ in range(MAX_COMMANDS + 5)]
    async with asyncio.timeout(5):
        while sum(send.done() for send in sends) < 5:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    pipe.unread_bytes = 0
    done = await asyncio.gather(*sends, return_exceptions=True)
    assert sum(isinstance(item, ConsoleBusy) for item in done) == 5


async def test_no_command_without_a_game(silent: Console, audit: Audit) -> None:
    """Without a running game a command is refused, and not written down."""
    with pytest.raises(GameNotRunning) as refused:
        await silent.send("/time", by="ada")
    assert refused.value.members == {"state": "stopped"}
    assert (await audit.page(limit=1)).items == []


async def test_a_game_that_reads_no_input(silent: Console) -> None:
    """When its input is full the command is refused: it would never arrive."""
    silent.accept_commands(Pipe(lambda _: False), "running")
    with pytest.raises(ConsoleBusy):
        await silent.send("/time", by="ada")


async def test_unsafe_commands_never_reach_the_game(silent: Console) -> None:
    """What is refused isn't written."""
    written: list[bytes] = []

    def write(data: bytes) -> bool:
        written.append(data)
        return True

    silent.accept_commands(Pipe(write), "running")
    for command in ("/a\n/stop", "/kick o[]"):
        with pytest.raises(CommandRefused):
            await silent.send(command, by="ada")
    assert written == []
    assert check_command("/x") == "/x"


async def test_a_secret_is_cut_in_the_audit(silent: Console, audit: Audit) -> None:
    """Who changed the password is written down, the password isn't."""
    silent.accept_commands(answering(silent, "Notification] password set to hunter2"), "running")
    reply = await silent.send("/serverconfig password hunter2", by="ada", wait=10)
    assert reply.lines == ["password set to hunter2"]
    (entry,) = (await audit.page(limit=1)).items
    assert entry.details == {"command": "/serverconfig password •••"}


async def test_waiting_for_a_line(silent: Console) -> None:
    """A line that comes after the watch began is found, also before anybody asks for it."""
    async with silent.lines_matching(lambda _, text: "complete" in text) as watch:
        says(silent, "Notification] Backup complete!", "Notification] complete too", "Chat] x")
        assert (await watch.next(10)).text == "Backup complete!"
        assert (await watch.next(10)).text == "complete too"
        with pytest.raises(TimeoutError):
            await watch.next(0.01)


async def test_waiting_ends_with_the_game(silent: Console) -> None:
    """Whoever waits for a line of a game that ends learns it at once, and every time they ask."""
    async with (
        silent.lines_matching(lambda *_: False) as watch,
        silent.lines_matching(lambda *_: False) as other,
    ):
        waiting = asyncio.create_task(other.next(3600))
        await asyncio.sleep(0)
        silent.end()
        for _ in range(2):
            with pytest.raises(GameNotRunning):
                await watch.next(10)
    with pytest.raises(GameNotRunning):
        await waiting
