"""Who played when: kept over restarts, and without addresses."""

from pathlib import Path

from bedplate.documents import Document
from bedplate.testing.clock import SettableClock
from gameserver.events import EventKind, Events
from gameserver.players.schemas import SessionEnd, SessionLog
from gameserver.players.sessions import MAX_SESSIONS, Sessions


def opened(tmp_path: Path, events: Events) -> Sessions:
    """Return the sessions of the test's own file."""
    document = Document(tmp_path / "sessions.json", SessionLog, default=SessionLog)
    return Sessions(document, events)


async def test_stay(tmp_path: Path, clock: SettableClock) -> None:
    """A stay has its beginning, its end and its length; another's leaving doesn't end it."""
    events = Events()
    async with opened(tmp_path, events) as sessions:
        events.publish(EventKind.PLAYER_JOINED, "", name="Ada", uid="a")
        clock.advance(minutes=5)
        events.publish(EventKind.PLAYER_LEFT, "", name="Eve", uid="e")
        events.publish(EventKind.PLAYER_LEFT, "", name="Ada", uid="a")
        (session,) = sessions.page(name="ADA", limit=10).items
        assert (session.seconds, session.ended) == (300, SessionEnd.LEFT)
        assert sessions.page(name="Eve", limit=10).items == []


async def test_restart_of_the_manager(tmp_path: Path) -> None:
    """A stay whose end nobody saw says so after a restart; the others are as they were."""
    events = Events()
    async with opened(tmp_path, events):
        events.publish(EventKind.PLAYER_JOINED, "", name="Ada", uid="a")
    async with opened(tmp_path, Events()) as sessions:
        (session,) = sessions.page(limit=10).items
        assert (session.ended, session.left_at) == (SessionEnd.UNKNOWN, None)


async def test_bounded(tmp_path: Path) -> None:
    """Of too many stays the oldest go."""
    events = Events()
    async with opened(tmp_path, events) as sessions:
        for number in range(MAX_SESSIONS + 5):
            events.publish(EventKind.PLAYER_JOINED, "", name=f"P{number}", uid=str(number))
        found = sessions.page(limit=MAX_SESSIONS * 2).items
        assert (len(found), found[-1].name) == (MAX_SESSIONS, "P5")
        assert len(sessions.page(limit=3).items) == 3


async def test_full_disk(tmp_path: Path) -> None:
    """What can't be written costs nobody anything."""
    events = Events()
    async with opened(tmp_path, events) as sessions:
        (tmp_path / "sessions.json").mkdir()
        events.publish(EventKind.PLAYER_JOINED, "", name="Ada", uid="a")
        assert len(sessions.page(limit=10).items) == 1
