"""What an operator does: counts all answers again, and repairs counters that differ."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

from bedplate.database import Database
from live.activities import repository as activities
from live.activities.exceptions import ActivityNotFound
from live.exceptions import SessionNotFound
from live.responses.service import Recount, recount
from live.sessions import repository as sessions
from live.settings import LiveSettings


@dataclass(frozen=True)
class Wrong:
    """An activity in which something differs, and the rounds in which it does."""

    id: UUID
    title: str
    rounds: Sequence[Recount]


@dataclass
class Report:
    """How many activities were counted again, and those in which something differs."""

    checked: int = 0
    wrong: list[Wrong] = field(default_factory=list)


async def recount_all(database: Database, session_id: UUID | None, *, repair: bool) -> Report:
    """Count the answers of a session again, or of all; repair what differs if asked to.

    Each activity has a transaction of its own, in which its votes wait. Raises `SessionNotFound`.
    """
    reading = database.read()
    if session_id is not None and await sessions.get(reading, session_id) is None:
        raise SessionNotFound
    report = Report()
    async for activity in activities.every(reading, session_id):
        async with database.write() as session:
            try:
                rounds = await recount(session, activity["id"], repair=repair)
            except ActivityNotFound:
                continue  # deleted meanwhile
        report.checked += 1
        if wrong := [each for each in rounds if not each.is_right]:
            report.wrong.append(Wrong(activity["id"], activity["title"], wrong))
    return report


async def recount_at(session_id: UUID | None, *, repair: bool) -> Report:
    """Count again in the database of this process's settings: see `recount_all`."""
    async with Database.open(LiveSettings.load()) as database:
        return await recount_all(database, session_id, repair=repair)
