"""The statements on sessions. Only here is SQL written."""

from collections.abc import AsyncIterator, Sequence
from typing import cast

from sqlalchemy import Boolean, Table, Text, bindparam, case, select, update

from bedplate.database import ReadSession, Row, Statement, WriteSession, any_of
from fountain.listing import in_parts, part_of
from fountain.numbering import Numbered
from fountain.session_context.models import Session

SESSIONS = Numbered("session", cast("Table", Session.__table__), "user_id", "context")

_SHOWN = (Session.id, Session.user_id, Session.context)
_SEEN = Session.sequence_number.is_not(None)
_THIS = (Session.id == bindparam("identifier")) & _SEEN

EVERY = part_of(select(*_SHOWN).where(_SEEN))
_ONE = Statement(select(*_SHOWN).where(_THIS))
_SEVERAL = Statement(select(*_SHOWN).where(_SEEN, any_of(Session.id, "identifiers")))
_CHANGE = Statement(
    update(Session)
    .where(_THIS)
    .values(
        context=case(
            (bindparam("set_context", type_=Boolean), bindparam("new_context", type_=Text)),
            else_=Session.context,
        )
    )
    .returning(*_SHOWN)
)


def every(session: ReadSession) -> AsyncIterator[list[Row]]:
    """Yield every session in parts, in the order of their identifiers."""
    return in_parts(session, EVERY)


async def get(session: ReadSession, identifier: int) -> Row | None:
    """Return a session, or None."""
    return await session.one_or_none(_ONE, identifier=identifier)


async def several(session: ReadSession, identifiers: Sequence[int]) -> list[Row]:
    """Return those of the identified sessions that there are, in any order."""
    return await session.all(_SEVERAL, identifiers=list(identifiers))


async def change(
    session: WriteSession, identifier: int, *, context: str | None, given: bool
) -> Row | None:
    """Store another context if one is `given`; return the session, or None."""
    rows = await session.alone(
        _CHANGE, identifier=identifier, set_context=given, new_context=context
    )
    return rows[0] if rows else None
