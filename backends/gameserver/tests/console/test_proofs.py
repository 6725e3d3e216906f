"""Lines of the console wait for their proof in the game's own log."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path

import pytest

from gameserver.console.facts import needs_proof
from gameserver.console.lines import ConsoleLine
from gameserver.console.main_log import MainLog
from gameserver.console.proofs import Proofs

AT = datetime(2026, 1, 2, tzinfo=UTC)
ENDS = ConsoleLine(AT, "Notification", "Entering runphase Shutdown")


class Decided:
    """What was decided, in order."""

    def __init__(self) -> None:
        self.lines: list[tuple[str, bool]] = []

    def __call__(self, line: ConsoleLine, *, genuine: bool) -> None:
        """Take a decision."""
        self.lines.append((line.text, genuine))


@pytest.fixture
def decided() -> Decided:
    """Give what takes the decisions."""
    return Decided()


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """Give the path of the game's log, which isn't there yet."""
    return tmp_path / "server-main.log"


def write(log: Path, line: str) -> None:
    """Add a line to the log."""
    with log.open("a") as file:
        file.write(f"1.1.2026 10:00:00 {line}\n")


@pytest.fixture
def proofs(tmp_path: Path, log: Path, decided: Decided) -> Proofs:
    """Give the proofs of a run that has just begun."""
    return Proofs(MainLog(log.parent, needs_proof), decided)


async def test_a_line_that_the_log_has_is_genuine(
    proofs: Proofs, log: Path, decided: Decided
) -> None:
    """It counts as soon as the log shows it."""
    write(log, "[Event] Launching server...")
    proofs.add(ENDS)
    await asyncio.sleep(0.1)
    assert decided.lines == []
    write(log, "[Notification] Entering runphase Shutdown")
    async with asyncio.timeout(10):
        while not decided.lines:  # noqa: ASYNC110 - it's a file
            await asyncio.sleep(0.01)
    assert decided.lines == [(ENDS.text, True)]


async def test_at_the_end_everything_is_decided(
    proofs: Proofs, log: Path, decided: Decided
) -> None:
    """When the game has ended its log is complete: what it lacks was typed by somebody."""
    write(log, "[Notification] Entering runphase Shutdown")
    proofs.add(ENDS)
    proofs.add(ENDS)
    await proofs.finish()
    assert decided.lines == [(ENDS.text, True), (ENDS.text, False)]


async def test_without_a_log_every_line_counts(proofs: Proofs, decided: Decided) -> None:
    """A game that writes no log is read from its console alone."""
    proofs.add(ENDS)
    await proofs.finish()
    assert decided.lines == [(ENDS.text, True)]


async def test_a_line_does_not_wait_for_ever(
    proofs: Proofs, log: Path, decided: Decided, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the log still lacks after the patience is a forgery."""
    monkeypatch.setattr("gameserver.console.proofs.PATIENCE_SECONDS", 0.05)
    write(log, "[Event] Launching server...")
    proofs.add(ENDS)
    async with asyncio.timeout(10):
        while not decided.lines:  # noqa: ASYNC110 - it's a file
            await asyncio.sleep(0.01)
    assert decided.lines == [(ENDS.text, False)]


async def test_forged_lines_push_out_no_genuine_one(
    proofs: Proofs, log: Path, decided: Decided
) -> None:
    """Players type thousands of lines, before a genuine one and after it: it counts, and once."""
    forged = [ConsoleLine(AT, "Fatal", f"Mallory {number}") for number in range(2_500)]
    write(log, "[Notification] Entering runphase Shutdown")
    for line in [*forged[:500], ENDS, *forged[500:]]:
        proofs.add(line)
    await proofs.finish()
    assert [text for text, genuine in decided.lines if genuine] == [ENDS.text]


async def test_a_genuine_line_that_finds_no_place_counts_by_the_log(
    proofs: Proofs, log: Path, decided: Decided
) -> None:
    """When as many lines wait as may, those of the log count without a line that waits."""
    for number in range(2_500):
        proofs.add(ConsoleLine(AT, "Fatal", f"Mallory {number}"))
    proofs.add(ENDS)
    write(log, "[Notification] Entering runphase Shutdown")
    await proofs.finish()
    assert [text for text, genuine in decided.lines if genuine] == [ENDS.text]


async def test_what_is_watched_is_proved_by_what_follows(
    proofs: Proofs, log: Path, decided: Decided
) -> None:
    """A reply of earlier on, to another command, is no proof of the one that is waited for."""
    reply = ConsoleLine(AT, "Notification", "Player is now unbanned")
    write(log, f"[Notification] {reply.text}")
    async with proofs.watching(lambda level, text: (level, text) == (reply.level, reply.text)):
        proofs.add(reply)
        await proofs.finish()
        write(log, f"[Notification] {reply.text}")
        proofs.add(reply)
        await proofs.finish()
    assert decided.lines == [(reply.text, False), (reply.text, True)]


@pytest.mark.parametrize(
    ("level", "text", "needs"),
    [
        ("Notification", "Entering runphase Shutdown", True),
        ("Notification", "Entering runphase RunGame", False),
        ("Notification", "Server stop requested, begin … Stop reason: Out of disk space", True),
        ("Event", "Stopped the server!", True),
        ("Fatal", "anything", True),
        ("Event", "Ada 10.0.0.1:1234 joins.", True),
        ("Notification", "Client 4 disconnected: ", True),
        ("Event", "Client 4 disconnected.", True),
        ("Notification", "Client 4 uid abc attempting identification. Name: Ada", True),
        ("Notification", "Server time: 1. May", False),
        ("Warning", "Client 4 disconnected: ", False),
        ("Notification", "Autosaving game world. Notifying mods, then systems of save...", True),
        ("Notification", "Offthread save of savegame done.", True),
        ("Notification", "Offthread save of 197 chunks done.", False),
        ("Event", "World saved! Saved 0 chunks, 0 mapchunks, 7 mapregions.", True),
        ("Warning", "Server overloaded. A tick took 563ms to complete.", True),
        ("Error", "Caught unhandled exception in thread 'chunkdbthread'.", True),
        ("Error", "Exception: Object reference not set to an instance of an object.", False),
    ],
)
def test_what_needs_a_proof(level: str, text: str, needs: bool) -> None:
    """Whatever ends the game, changes who is online, or is published as an event."""
    assert needs_proof(level, text) is needs
