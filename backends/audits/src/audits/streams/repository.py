"""The statements about streams."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import bindparam, null, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from audits.streams.models import AuditStream
from bedplate.database import ReadSession, Row, Statement, UTCDateTime, WriteSession

_SAME = (AuditStream.name == bindparam("of_name")) & (AuditStream.tenant == bindparam("of_tenant"))
_MINE = _SAME & (AuditStream.holder == bindparam("me"))
_FREE = or_(
    AuditStream.holder.is_(None),
    AuditStream.holder == bindparam("me"),
    AuditStream.held_until < bindparam("now", type_=UTCDateTime),
)
_NEW = {"name": bindparam("of_name"), "tenant": bindparam("of_tenant"), "position": 0}
_ADD = {
    "postgresql": Statement(postgresql.insert(AuditStream).values(_NEW).on_conflict_do_nothing()),
    "sqlite": Statement(sqlite.insert(AuditStream).values(_NEW).on_conflict_do_nothing()),
}
_GET = Statement(select(AuditStream.position, AuditStream.sent_at, AuditStream.error).where(_SAME))
_CLAIM = Statement(
    update(AuditStream)
    .where(_SAME & _FREE)
    .values(holder=bindparam("me"), held_until=bindparam("until"))
    .returning(AuditStream.position)
)
_ADVANCE = Statement(
    update(AuditStream)
    .where(_MINE)
    .values(position=bindparam("end"), sent_at=bindparam("now"), error=null())
)
_FAIL = Statement(update(AuditStream).where(_MINE).values(error=bindparam("reason")))
_RELEASE = Statement(update(AuditStream).where(_MINE).values(holder=null(), held_until=null()))


async def add(session: WriteSession, name: str, tenant: str) -> None:
    """Add a stream that begins with the first event, if it isn't there."""
    await session.all(_ADD[session.dialect_name], of_name=name, of_tenant=tenant)


async def get(session: ReadSession, name: str, tenant: str) -> Row | None:
    """Return how far a stream is, when it last sent, and what went wrong since."""
    return await session.one_or_none(_GET, of_name=name, of_tenant=tenant)


async def claim(
    session: WriteSession, name: str, tenant: str, *, me: UUID, now: datetime, until: datetime
) -> int | None:
    """Return the position of a stream that is this process's until then; None: another has it."""
    row = await session.one_or_none(
        _CLAIM, of_name=name, of_tenant=tenant, me=me, now=now, until=until
    )
    return None if row is None else row["position"]


async def advance(
    session: WriteSession, name: str, tenant: str, *, me: UUID, end: int, now: datetime
) -> None:
    """Store that everything before `end` was delivered."""
    await session.all(_ADVANCE, of_name=name, of_tenant=tenant, me=me, end=end, now=now)


async def fail(session: WriteSession, name: str, tenant: str, *, me: UUID, reason: str) -> None:
    """Store why the last delivery failed."""
    await session.all(_FAIL, of_name=name, of_tenant=tenant, me=me, reason=reason)


async def release(session: WriteSession, name: str, tenant: str, *, me: UUID) -> None:
    """Let another process send."""
    await session.all(_RELEASE, of_name=name, of_tenant=tenant, me=me)
