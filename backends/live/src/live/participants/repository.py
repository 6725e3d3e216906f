"""The statements on participants. Only here is SQL written for them."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import BigInteger, bindparam, func, or_, select, update

from bedplate.database import AnyOf, ReadSession, Row, Statement, UTCDateTime, WriteSession
from bedplate.database.bulk_insert import BulkInsert
from bedplate.database.pages import Keyset
from live.models.participants import Participant

_COLUMNS = (
    Participant.id, Participant.session_id, Participant.nickname, Participant.folded,
    Participant.base, Participant.state, Participant.join_key, Participant.time_factor,
    Participant.joined_at, Participant.seen_at,
)  # fmt: skip
IN_ORDER = Keyset(Participant.joined_at, Participant.id, descending=False)
_IN_SESSION = Participant.session_id == bindparam("of")
_THIS = _IN_SESSION & (Participant.id == bindparam("which"))

_ADD = BulkInsert(Participant)
_LOCK = Statement(select(*_COLUMNS).where(_THIS).with_for_update())
_BY_KEYS = Statement(select(*_COLUMNS).where(_IN_SESSION, AnyOf(Participant.join_key, "keys")))
_NUMBERS = Statement(
    select(Participant.base, func.count().label("count"))
    .where(_IN_SESSION, AnyOf(Participant.base, "bases"))
    .group_by(Participant.base)
)
_TAKEN = Statement(
    select(Participant.folded).where(_IN_SESSION, AnyOf(Participant.folded, "names"))
)
_OF_BASE = Statement(
    select(Participant.folded).where(_IN_SESSION, Participant.base == bindparam("base"))
)
_LIMIT = bindparam("limit", type_=BigInteger)
_LISTED = select(*_COLUMNS).where(
    _IN_SESSION, or_(bindparam("all", type_=Participant.state.type) == "yes",
                     Participant.state == "joined")
)  # fmt: skip
_LIST = Statement(_LISTED.order_by(*IN_ORDER.order()).limit(_LIMIT))
_LIST_BEYOND = Statement(_LISTED.where(IN_ORDER.beyond()).order_by(*IN_ORDER.order()).limit(_LIMIT))
_STATES = Statement(select(Participant.id, Participant.state).where(AnyOf(Participant.id, "ids")))
_REMOVE = Statement(
    update(Participant)
    .where(_THIS)
    .values(
        state=bindparam("new_state"),
        folded=bindparam("nobody"),
        base=bindparam("nobody"),
        join_key=bindparam("kept_key"),
    )
    .returning(Participant.id)
)
_COME_BACK = Statement(
    update(Participant)
    .where(_THIS)
    .values(
        state="joined",
        nickname=bindparam("new_nickname"),
        folded=bindparam("new_folded"),
        base=bindparam("new_base"),
        seen_at=bindparam("now"),
    )
    .returning(*_COLUMNS)
)
_SET_TIME_FACTOR = Statement(
    update(Participant).where(_THIS).values(time_factor=bindparam("factor")).returning(*_COLUMNS)
)
# In one order, so that two that see the same people don't wait in a circle. The lock is the one
# that an update takes: answers, whose foreign keys share the row, don't wait.
_PRESENT = (
    select(Participant.id)
    .where(AnyOf(Participant.id, "ids"), Participant.state == "joined")
    .order_by(Participant.id)
    .with_for_update(key_share=True)
)
_SEEN = Statement(
    update(Participant)
    .where(Participant.id.in_(_PRESENT))
    .values(seen_at=bindparam("now"))
    .returning(Participant.id)
)
_PRESENCE = Statement(
    select(
        func.count().filter(Participant.seen_at > bindparam("online", type_=UTCDateTime))
        .label("online"),
        func.count().filter(
            Participant.seen_at <= bindparam("online", type_=UTCDateTime),
            Participant.seen_at > bindparam("idle", type_=UTCDateTime),
        ).label("idle"),
        func.count().label("joined"),
    ).where(_IN_SESSION, Participant.state == "joined")
)  # fmt: skip


async def add(session: WriteSession, rows: Sequence[Row]) -> None:
    """Store participants. Raises `UniqueViolation` for a nickname or key that is there."""
    await session.insert(_ADD, rows)


async def lock(session: WriteSession, session_id: UUID, participant_id: UUID) -> Row | None:
    """Return a participant, whom nobody else changes until the transaction ends, or None."""
    return await session.one_or_none(_LOCK, of=session_id, which=participant_id)


async def states(session: ReadSession, ids: Sequence[UUID]) -> dict[UUID, str]:
    """Return the states of participants, by id."""
    return {row["id"]: row["state"] for row in await session.all(_STATES, ids=sorted(ids))}


async def by_keys(session: ReadSession, session_id: UUID, keys: Sequence[str]) -> dict[str, Row]:
    """Return who joined with these keys, by key."""
    rows = await session.all(_BY_KEYS, of=session_id, keys=list(keys)) if keys else ()
    return {row["join_key"]: row for row in rows}


async def numbers(session: ReadSession, session_id: UUID, bases: Sequence[str]) -> dict[str, int]:
    """Return how many participants have names of these bases."""
    rows = await session.all(_NUMBERS, of=session_id, bases=list(bases))
    return {row["base"]: row["count"] for row in rows}


async def taken(session: ReadSession, session_id: UUID, names: Sequence[str]) -> set[str]:
    """Return which of these folded names are taken."""
    return {row["folded"] for row in await session.all(_TAKEN, of=session_id, names=list(names))}


async def of_base(session: ReadSession, session_id: UUID, base: str) -> set[str]:
    """Return all folded names of this base."""
    return {row["folded"] for row in await session.all(_OF_BASE, of=session_id, base=base)}


async def page(
    session: ReadSession, session_id: UUID, *, limit: int, cursor: str | None, removed: bool
) -> tuple[list[Row], str | None]:
    """Return a page of participants and the next cursor; `removed` adds kicked and banned ones."""
    every = "yes" if removed else "no"
    if cursor is None:
        rows = await session.all(_LIST, of=session_id, limit=limit + 1, all=every)
    else:
        place = IN_ORDER.decode(cursor)
        rows = await session.all(_LIST_BEYOND, of=session_id, limit=limit + 1, all=every, **place)
    if len(rows) <= limit:
        return rows, None
    last = rows[limit - 1]
    return rows[:limit], IN_ORDER.encode([last[name] for name in IN_ORDER.names])


async def remove(session: WriteSession, found: Row, state: str) -> None:
    """Kick or ban a participant, whose name is free from now on.

    A kicked one's key is free too: it may join again.
    """
    await session.all(
        _REMOVE, of=found["session_id"], which=found["id"], new_state=state,
        # No folded name begins with a space.
        nobody=f" {found['id']}",
        kept_key=found["join_key"] if state == "banned" else None,
    )  # fmt: skip


async def come_back(
    session: WriteSession, found: Row, now: datetime, *, nickname: str, folded: str, base: str
) -> Row:
    """Let a kicked participant in again, by this name, and return the participant."""
    return await session.one(
        _COME_BACK, of=found["session_id"], which=found["id"], now=now, new_nickname=nickname,
        new_folded=folded, new_base=base,
    )  # fmt: skip


async def set_time_factor(
    session: WriteSession, session_id: UUID, participant_id: UUID, factor: float
) -> Row | None:
    """Set how much longer a participant has for answers, and return the participant, or None."""
    return await session.one_or_none(
        _SET_TIME_FACTOR, of=session_id, which=participant_id, factor=factor
    )


async def seen(session: WriteSession, ids: Sequence[UUID], now: datetime) -> set[UUID]:
    """Say that participants were there just now; return those who haven't been removed."""
    return {row["id"] for row in await session.all(_SEEN, ids=sorted(ids), now=now)}


async def presence(
    session: ReadSession, session_id: UUID, *, online: datetime, idle: datetime
) -> dict[str, int]:
    """Return how many were seen after `online`, after `idle`, and how many are in the session."""
    rows = await session.all(_PRESENCE, of=session_id, online=online, idle=idle)
    return {**rows[0], "gone": rows[0]["joined"] - rows[0]["online"] - rows[0]["idle"]}
