"""What a session takes over from another one. Nothing here knows requests and responses."""

from bedplate import clock
from bedplate.database import Database, Row, WriteSession
from live.activities import repository as activities
from live.sessions import service as sessions
from live.sessions.schemas import SessionNew, SessionSettings


async def duplicate(database: Database, source: Row, title: str | None) -> Row:
    """Store a draft for the same host, with what was prepared of a session and its activities.

    Codes, links, people, answers and points stay behind.
    """
    new = SessionNew.model_construct(
        title=title or source["title"],
        description=source["description"],
        max_participants=source["max_participants"],
        settings=SessionSettings.model_validate(source["settings"]),
    )

    async def with_activities(session: WriteSession, row: Row) -> None:
        await activities.copy(session, source["id"], row["id"], clock.now())

    return await sessions.add(database, source["host_id"], new, then=with_activities)
