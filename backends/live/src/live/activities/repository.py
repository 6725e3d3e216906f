"""The statements on activities. Only here is SQL written for them."""

from collections.abc import AsyncIterator, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, bindparam, delete, func, insert, select, update

from bedplate import ids
from bedplate.database import GUID, ReadSession, Row, Statement, UTCDateTime, WriteSession
from bedplate.database.bulk_insert import BulkInsert
from bedplate.database.partial_updates import new_value_if_set, values_if_set
from live.models.activities import Activity
from live.models.responses import Round
from live.models.results import Score

_COLUMNS = (
    Activity.id, Activity.session_id, Activity.type, Activity.title, Activity.notes,
    Activity.config, Activity.policy, Activity.seconds, Activity.position, Activity.state,
    Activity.round, Activity.opened_at, Activity.closes_at, Activity.closed_at, Activity.closed_by,
    Activity.revealed_at, Activity.version,
)  # fmt: skip
_THIS = Activity.id == bindparam("which", type_=GUID)
_IN_SESSION = Activity.session_id == bindparam("of", type_=GUID)
_NOW = bindparam("now", type_=UTCDateTime)
_CHANGED = {"version": Activity.version + 1}

_GET = Statement(select(*_COLUMNS).where(_THIS))
# Whoever stores answers takes turns with whoever changes the state: the database orders both.
_LOCK = Statement(select(*_COLUMNS).where(_THIS).with_for_update(key_share=True))
_LOCK_ALL = Statement(
    select(*_COLUMNS).where(_IN_SESSION).order_by(Activity.id).with_for_update(key_share=True)
)
_LIST = Statement(select(*_COLUMNS).where(_IN_SESSION).order_by(Activity.position, Activity.id))
_EVERY = Statement(
    select(Activity.id, Activity.title)
    .where(Activity.id > bindparam("after", type_=GUID))
    .order_by(Activity.id)
    .limit(500)
)
_CURRENT = Statement(
    select(*_COLUMNS)
    .where(_IN_SESSION, Activity.opened_at.is_not(None))
    .order_by(Activity.opened_at.desc())
    .limit(1)
)
_END = Statement(
    select(
        func.count().label("number"),
        (func.coalesce(func.max(Activity.position), -1) + 1).label("place"),
    ).where(_IN_SESSION)
)
_ADD = Statement(
    insert(Activity)
    .values(
        id=bindparam("new_id"),
        session_id=bindparam("of"),
        type=bindparam("new_type"),
        title=bindparam("new_title"),
        notes=bindparam("new_notes"),
        config=bindparam("new_config"),
        policy=bindparam("new_policy"),
        seconds=bindparam("new_seconds"),
        position=bindparam("place"),
        state="draft",
        round=1,
        created_at=bindparam("now"),
        version=1,
    )
    .returning(*_COLUMNS)
)
_COPIED = ("type", "title", "notes", "config", "policy", "seconds", "position")
_COPY = BulkInsert(
    Activity, ["id", "session_id", *_COPIED, "state", "round", "created_at", "version"]
)
_CHANGE = Statement(
    update(Activity)
    .where(_THIS)
    .values(
        title=new_value_if_set(Activity.title),
        notes=new_value_if_set(Activity.notes),
        config=new_value_if_set(Activity.config),
        policy=new_value_if_set(Activity.policy),
        seconds=new_value_if_set(Activity.seconds),
        **_CHANGED,
    )
    .returning(*_COLUMNS)
)
_PLACE = Statement(
    update(Activity)
    .where(_THIS, _IN_SESSION)
    .values(position=bindparam("place", type_=BigInteger), **_CHANGED)
    .returning(Activity.id)
)
_OPEN = Statement(
    update(Activity)
    .where(_THIS, Activity.state == "draft")
    .values(state="open", opened_at=_NOW, closes_at=bindparam("until", type_=UTCDateTime),
            **_CHANGED)
    .returning(*_COLUMNS)
)  # fmt: skip
_ADD_ROUND = Statement(
    insert(Round)
    .values(
        activity_id=bindparam("which"),
        round=bindparam("number"),
        opened_at=bindparam("now"),
        received=0,
        stored=0,
        released=0,
        version=1,
    )
    .returning(Round.round)
)
_CLOSE = Statement(
    update(Activity)
    .where(_THIS, Activity.state == "open")
    .values(state="closed", closed_at=_NOW, closed_by="host", **_CHANGED)
    .returning(*_COLUMNS)
)
_CLOSE_DUE = Statement(
    update(Activity)
    .where(_IN_SESSION, Activity.state == "open", Activity.closes_at <= _NOW)
    .values(state="closed", closed_at=_NOW, closed_by="timer", **_CHANGED)
    .returning(*_COLUMNS)
)
_REVEAL = Statement(
    update(Activity)
    .where(_THIS, Activity.state == "closed")
    .values(state="revealed", revealed_at=_NOW, **_CHANGED)
    .returning(*_COLUMNS)
)
_RESET = Statement(
    update(Activity)
    .where(_THIS)
    .values(
        state="draft", round=Activity.round + 1, opened_at=None, closes_at=None, closed_at=None,
        closed_by=None, revealed_at=None, **_CHANGED,
    )
    .returning(*_COLUMNS)
)  # fmt: skip
_REMOVE_SCORES = Statement(
    delete(Score).where(Score.activity_id == bindparam("which")).returning(Score.activity_id)
)
_DELETE = Statement(delete(Activity).where(_THIS).returning(Activity.id))
_HAS_ANSWERS = Statement(
    select(Round.round).where(Round.activity_id == bindparam("which"), Round.stored > 0).limit(1)
)
_DUE = Statement(
    select(Activity.session_id)
    .where(Activity.state == "open", Activity.closes_at <= _NOW)
    .limit(500)
)


async def get(session: ReadSession, activity_id: UUID) -> Row | None:
    """Return an activity, or None."""
    return await session.one_or_none(_GET, which=activity_id)


async def lock(session: WriteSession, activity_id: UUID) -> Row | None:
    """Return an activity, which nobody changes or answers until the transaction ends, or None."""
    return await session.one_or_none(_LOCK, which=activity_id)


async def lock_all(session: WriteSession, session_id: UUID) -> list[Row]:
    """Return all activities of a session, locked as `lock` does it."""
    return await session.all(_LOCK_ALL, of=session_id)


async def in_order(session: ReadSession, session_id: UUID) -> list[Row]:
    """Return the activities of a session, in their order."""
    return await session.all(_LIST, of=session_id)


async def every(session: ReadSession, session_id: UUID | None) -> AsyncIterator[Row]:
    """Yield id and title of each activity of a session, or of all sessions, in no certain order."""
    if session_id is not None:
        for row in await in_order(session, session_id):
            yield row
        return
    after = UUID(int=0)
    while rows := await session.all(_EVERY, after=after):
        for row in rows:
            yield row
        after = rows[-1]["id"]


async def current(session: ReadSession, session_id: UUID) -> Row | None:
    """Return the activity that was opened last, or None."""
    return await session.one_or_none(_CURRENT, of=session_id)


async def end(session: ReadSession, session_id: UUID) -> tuple[int, int]:
    """Return how many activities a session has, and the place behind the last one."""
    row = (await session.all(_END, of=session_id))[0]
    return row["number"], row["place"]


async def add(
    session: WriteSession, session_id: UUID, fields: dict[str, Any], place: int, now: datetime
) -> Row:
    """Store a draft at a place in the order."""
    new = {f"new_{name}": value for name, value in fields.items()}
    return await session.one(_ADD, of=session_id, place=place, now=now, **new)


async def copy(session: WriteSession, source: UUID, to: UUID, now: datetime) -> None:
    """Store copies of a session's activities in another one, as drafts in the same order."""
    rows = await session.all(_LIST, of=source)
    copies = [
        {
            **{name: row[name] for name in _COPIED},
            "id": ids.uuid(),
            "session_id": to,
            "state": "draft",
            "round": 1,
            "created_at": now,
            "version": 1,
        }
        for row in rows
    ]
    await session.insert(_COPY, copies)


async def change(session: WriteSession, activity_id: UUID, fields: dict[str, Any]) -> Row | None:
    """Change these fields and return the activity, or None."""
    names = ("title", "notes", "config", "policy", "seconds")
    return await session.one_or_none(_CHANGE, which=activity_id, **values_if_set(names, fields))


async def place(session: WriteSession, session_id: UUID, places: Mapping[UUID, int]) -> None:
    """Put activities at places in the order."""
    for activity_id, position in places.items():
        await session.all(_PLACE, which=activity_id, of=session_id, place=position)


async def open_(
    session: WriteSession, activity_id: UUID, *, now: datetime, until: datetime | None
) -> Row | None:
    """Open a draft and return it, or None when it is none.

    Raises `UniqueViolation` while another one of the session is open.
    """
    row = await session.one_or_none(_OPEN, which=activity_id, now=now, until=until)
    if row is not None:
        await session.all(_ADD_ROUND, which=activity_id, number=row["round"], now=now)
    return row


async def close(session: WriteSession, activity_id: UUID, now: datetime) -> Row | None:
    """Close an open activity for its host and return it, or None when it isn't open."""
    return await session.one_or_none(_CLOSE, which=activity_id, now=now)


async def reveal(session: WriteSession, activity_id: UUID, now: datetime) -> Row | None:
    """Reveal a closed activity and return it, or None when it isn't closed."""
    return await session.one_or_none(_REVEAL, which=activity_id, now=now)


async def reset(session: WriteSession, activity_id: UUID) -> Row | None:
    """Begin a new round as a draft, without points from the old one; return the activity."""
    await session.all(_REMOVE_SCORES, which=activity_id)
    return await session.one_or_none(_RESET, which=activity_id)


async def remove(session: WriteSession, activity_id: UUID) -> None:
    """Delete an activity with its answers."""
    await session.all(_DELETE, which=activity_id)


async def has_answers(session: ReadSession, activity_id: UUID) -> bool:
    """Return whether any round of an activity has answers."""
    return await session.one_or_none(_HAS_ANSWERS, which=activity_id) is not None


async def due(session: ReadSession, now: datetime) -> list[UUID]:
    """Return the sessions whose open activity's time is over, at most 500."""
    return [row["session_id"] for row in await session.all(_DUE, now=now)]


async def close_due(session: WriteSession, session_id: UUID, now: datetime) -> Row | None:
    """Close a session's open activity if its time is over, and return it, or None."""
    return await session.one_or_none(_CLOSE_DUE, of=session_id, now=now)
