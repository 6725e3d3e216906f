"""The statements on sessions and their tokens. Only here is SQL written for them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, bindparam, delete, exists, func, insert, or_, select, update

from bedplate.database import GUID, ReadSession, Row, Statement, UTCDateTime, WriteSession
from bedplate.database.pages import Keyset
from bedplate.database.partial_updates import new_value_if_set, values_if_set
from live.models.activities import Activity
from live.models.participants import Participant
from live.models.sessions import Session, Token

_COLUMNS = (
    Session.id, Session.code, Session.host_id, Session.title, Session.description,
    Session.max_participants, Session.settings, Session.state, Session.participants,
    Session.created_at, Session.changed_at, Session.started_at, Session.first_opened_at,
    Session.completed_at, Session.version,
)  # fmt: skip
NEWEST_FIRST = Keyset(Session.created_at, Session.id)
_THIS = Session.id == bindparam("of", type_=GUID)
_NOW = bindparam("now", type_=UTCDateTime)

_GET = Statement(select(*_COLUMNS).where(_THIS))
# FOR UPDATE: whoever changes a session's state, or takes a place in it, takes turns.
_LOCK = Statement(select(*_COLUMNS).where(_THIS).with_for_update())
_BY_CODE = Statement(select(*_COLUMNS).where(Session.code == bindparam("join_code")))
_WITH_ROLE = Statement(
    select(*_COLUMNS, Token.role.label("role"))
    .outerjoin(
        Token,
        (Token.token_hash == bindparam("hash"))
        & or_(
            Token.session_id == Session.id,
            Token.session_id.is_(None) & (Token.host_id == Session.host_id),
        ),
    )
    .where(_THIS)
)
_WITH_PARTICIPANT = Statement(
    select(
        *_COLUMNS,
        Participant.id.label("participant_id"), Participant.nickname,
        Participant.state.label("participant_state"), Participant.time_factor,
    )
    .outerjoin(
        Participant,
        (Participant.session_id == Session.id)
        & (Participant.id == bindparam("who", type_=GUID)),
    )
    .where(_THIS)
)  # fmt: skip
_HOST_OF = Statement(
    select(Token.host_id).where(Token.token_hash == bindparam("hash"), Token.role == "host")
)
_ADD = Statement(
    insert(Session)
    .values(
        id=bindparam("new_id"),
        code=bindparam("new_code"),
        host_id=bindparam("host"),
        title=bindparam("new_title"),
        description=bindparam("new_description"),
        max_participants=bindparam("places"),
        settings=bindparam("new_settings"),
        state="draft",
        participants=0,
        created_at=bindparam("now"),
        changed_at=bindparam("now"),
        version=1,
    )
    .returning(*_COLUMNS)
)
_ADD_TOKEN = Statement(
    insert(Token)
    .values(
        id=bindparam("new_id"),
        token_hash=bindparam("hash"),
        role=bindparam("new_role"),
        host_id=bindparam("host"),
        session_id=bindparam("of"),
        label=bindparam("new_label"),
        created_at=bindparam("now"),
    )
    .returning(Token.id, Token.role, Token.label, Token.created_at)
)
_CHANGE = Statement(
    update(Session)
    .where(_THIS)
    .values(
        title=new_value_if_set(Session.title),
        description=new_value_if_set(Session.description),
        max_participants=new_value_if_set(Session.max_participants),
        settings=new_value_if_set(Session.settings),
        changed_at=_NOW,
        version=Session.version + 1,
    )
    .returning(*_COLUMNS)
)
_START = Statement(
    update(Session)
    .where(_THIS, Session.state == "draft")
    .values(state="active", started_at=_NOW, changed_at=_NOW, version=Session.version + 1)
    .returning(*_COLUMNS)
)
_COMPLETE = Statement(
    update(Session)
    .where(_THIS, Session.state == "active")
    .values(state="completed", completed_at=_NOW, changed_at=_NOW, version=Session.version + 1)
    .returning(*_COLUMNS)
)
# An activity whose timer ended takes answers for a moment: those who store them come first or last.
_LOCK_ACTIVITIES = Statement(
    select(Activity.id)
    .where(Activity.session_id == bindparam("of"))
    .order_by(Activity.id)
    .with_for_update(key_share=True)
)
_CLOSE_OPEN = Statement(
    update(Activity)
    .where(Activity.session_id == bindparam("of"), Activity.state == "open")
    .values(state="closed", closed_at=_NOW, closed_by="end", version=Activity.version + 1)
    .returning(Activity.id)
)
_TOUCH = Statement(
    update(Session)
    .where(_THIS)
    .values(changed_at=_NOW, version=Session.version + 1)
    .returning(Session.version)
)
_OPENED = Statement(
    update(Session)
    .where(_THIS)
    .values(
        changed_at=_NOW,
        first_opened_at=func.coalesce(Session.first_opened_at, _NOW),
        version=Session.version + 1,
    )
    .returning(Session.version)
)
_TAKE_PLACES = Statement(
    update(Session)
    .where(_THIS)
    .values(
        participants=Session.participants + bindparam("places", type_=BigInteger),
        changed_at=_NOW,
        version=Session.version + 1,
    )
    .returning(Session.participants)
)
_DELETE = Statement(delete(Session).where(_THIS).returning(Session.id))
_OF_HOST = select(
    Session.id, Session.title, Session.state, Session.participants, Session.max_participants,
    Session.created_at,
).where(Session.host_id == bindparam("host"))  # fmt: skip
_LIMIT = bindparam("limit", type_=BigInteger)
_LIST = Statement(_OF_HOST.order_by(*NEWEST_FIRST.order()).limit(_LIMIT))
_LIST_BEYOND = Statement(
    _OF_HOST.where(NEWEST_FIRST.beyond()).order_by(*NEWEST_FIRST.order()).limit(_LIMIT)
)
_NUMBER_OF_LINKS = Statement(
    select(func.count().label("number")).where(Token.session_id == bindparam("of", type_=GUID))
)
_LINKS = Statement(
    select(Token.id, Token.role, Token.label, Token.created_at)
    .where(Token.session_id == bindparam("of"))
    .order_by(Token.created_at, Token.id)
)
_REMOVE_LINK = Statement(
    delete(Token)
    .where(Token.session_id == bindparam("of"), Token.id == bindparam("which"))
    .returning(Token.id, Token.role, Token.token_hash)
)
# Whoever follows a session's events or sends heartbeats was seen in it.
_IS_IDLE = (
    (Session.state == "active")
    & (Session.changed_at < bindparam("before", type_=UTCDateTime))
    & ~exists().where(
        Participant.session_id == Session.id,
        Participant.seen_at >= bindparam("before", type_=UTCDateTime),
    )
)
_IDLE = Statement(select(Session.id).where(_IS_IDLE).order_by(Session.changed_at).limit(100))
_STILL_IDLE = Statement(select(Session.id).where(_THIS, _IS_IDLE))
_OLD = Statement(
    select(Session.id)
    .where(
        Session.state == "completed",
        Session.completed_at < bindparam("before", type_=UTCDateTime),
    )
    .order_by(Session.completed_at)
    .limit(100)
)


async def get(session: ReadSession, session_id: UUID) -> Row | None:
    """Return a session, or None."""
    return await session.one_or_none(_GET, of=session_id)


async def lock(session: WriteSession, session_id: UUID) -> Row | None:
    """Return a session, which nobody else changes until the transaction ends, or None."""
    return await session.one_or_none(_LOCK, of=session_id)


async def with_role(session: ReadSession, session_id: UUID, token_hash: str) -> Row | None:
    """Return a session and, as `role`, what the token with this hash is in it, or None."""
    return await session.one_or_none(_WITH_ROLE, of=session_id, hash=token_hash)


async def with_participant(session: ReadSession, session_id: UUID, who: UUID | None) -> Row | None:
    """Return a session and one of its participants, or None.

    The participant is in `participant_id`, `participant_state`, `nickname` and `time_factor`, which
    are None where there is no such one.
    """
    return await session.one_or_none(_WITH_PARTICIPANT, of=session_id, who=who)


async def by_code(session: ReadSession, code: str) -> Row | None:
    """Return the session with this join code, or None."""
    return await session.one_or_none(_BY_CODE, join_code=code)


async def host_of(session: ReadSession, token_hash: str) -> UUID | None:
    """Return whose host token has this hash, or None."""
    row = await session.one_or_none(_HOST_OF, hash=token_hash)
    return row["host_id"] if row else None


async def add(session: WriteSession, host: UUID, fields: dict[str, Any], now: datetime) -> Row:
    """Store a new session. Raises `UniqueViolation` for a code that is taken."""
    return await session.one(
        _ADD,
        new_id=fields["id"],
        new_code=fields["code"],
        host=host,
        new_title=fields["title"],
        new_description=fields["description"],
        places=fields["max_participants"],
        new_settings=fields["settings"],
        now=now,
    )


async def add_token(
    session: WriteSession,
    token_id: UUID,
    token_hash: str,
    *,
    role: str,
    host: UUID,
    session_id: UUID | None,
    label: str,
    now: datetime,
) -> Row:
    """Store a token's hash and what it is for; return the token without its hash."""
    return await session.one(
        _ADD_TOKEN, new_id=token_id, hash=token_hash, new_role=role, host=host, of=session_id,
        new_label=label, now=now,
    )  # fmt: skip


async def change(
    session: WriteSession, session_id: UUID, fields: dict[str, Any], now: datetime
) -> Row | None:
    """Change these fields and return the session. Raises `CheckViolation` for too few places."""
    names = ("title", "description", "max_participants", "settings")
    return await session.one_or_none(
        _CHANGE, of=session_id, now=now, **values_if_set(names, fields)
    )


async def start(session: WriteSession, session_id: UUID, now: datetime) -> Row | None:
    """Make a draft active and return it, or None when it is no draft."""
    return await session.one_or_none(_START, of=session_id, now=now)


async def complete(session: WriteSession, session_id: UUID, now: datetime) -> Row | None:
    """Complete an active session and return it, or None when it isn't active."""
    return await session.one_or_none(_COMPLETE, of=session_id, now=now)


async def close_open_activity(session: WriteSession, session_id: UUID, now: datetime) -> list[UUID]:
    """Close the activity that is open in a session that ends, and return its id if there is one.

    No answer is stored any more.
    """
    await session.all(_LOCK_ACTIVITIES, of=session_id)
    return [row["id"] for row in await session.all(_CLOSE_OPEN, of=session_id, now=now)]


async def touch(session: WriteSession, session_id: UUID, now: datetime) -> None:
    """Say that something changed in a session."""
    await session.all(_TOUCH, of=session_id, now=now)


async def opened(session: WriteSession, session_id: UUID, now: datetime) -> None:
    """Say that an activity was opened in a session."""
    await session.all(_OPENED, of=session_id, now=now)


async def take_places(session: WriteSession, session_id: UUID, places: int, now: datetime) -> int:
    """Take so many places, or give them back, and return how many are taken."""
    row = await session.one(_TAKE_PLACES, of=session_id, places=places, now=now)
    taken: int = row["participants"]
    return taken


async def remove(session: WriteSession, session_id: UUID) -> None:
    """Delete a session and everything in it."""
    await session.all(_DELETE, of=session_id)


async def page(
    session: ReadSession, host: UUID, *, limit: int, cursor: str | None
) -> tuple[list[Row], str | None]:
    """Return a page of a host's sessions, newest first, and the next cursor."""
    if cursor is None:
        rows = await session.all(_LIST, host=host, limit=limit + 1)
    else:
        place = NEWEST_FIRST.decode(cursor)
        rows = await session.all(_LIST_BEYOND, host=host, limit=limit + 1, **place)
    if len(rows) <= limit:
        return rows, None
    last = rows[limit - 1]
    return rows[:limit], NEWEST_FIRST.encode([last[name] for name in NEWEST_FIRST.names])


async def links(session: ReadSession, session_id: UUID) -> list[Row]:
    """Return the tokens that belong to a session alone."""
    return await session.all(_LINKS, of=session_id)


async def number_of_links(session: ReadSession, session_id: UUID) -> int:
    """Return how many tokens belong to a session alone."""
    rows = await session.all(_NUMBER_OF_LINKS, of=session_id)
    number: int = rows[0]["number"]
    return number


async def remove_link(session: WriteSession, session_id: UUID, link_id: UUID) -> Row | None:
    """Revoke a token and return its id, role and hash, or None."""
    return await session.one_or_none(_REMOVE_LINK, of=session_id, which=link_id)


async def idle_since(session: ReadSession, before: datetime) -> Sequence[UUID]:
    """Return active sessions without a change or anybody there since a time, at most 100."""
    return [row["id"] for row in await session.all(_IDLE, before=before)]


async def is_idle_since(session: ReadSession, session_id: UUID, before: datetime) -> bool:
    """Return whether a session is one of `idle_since`."""
    return await session.one_or_none(_STILL_IDLE, of=session_id, before=before) is not None


async def completed_before(session: ReadSession, before: datetime) -> Sequence[UUID]:
    """Return sessions that were completed before a time, at most 100."""
    return [row["id"] for row in await session.all(_OLD, before=before)]
