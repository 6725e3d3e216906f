from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

from sqlalchemy import bindparam, select, update

from bedplate.database import AnyOf, ReadSession, Row, Statement, WriteSession
from bedplate.database.partial_updates import new_value_if_set, values_if_set
from fountain.common import repository as common
from fountain.common.repository import (
    NumberedTable,
    part_statement,
    read_parts,
)
from fountain.session_context.models import Session

SESSIONS = NumberedTable("session", Session, "user_id", "context")

_COLUMNS = (Session.id, Session.user_id, Session.context)
_VISIBLE = Session.sequence_number.is_not(None)
_THIS_SESSION = (Session.id == bindparam("identifier")) & _VISIBLE

LIST = part_statement(select(*_COLUMNS).where(_VISIBLE))
_GET = Statement(select(*_COLUMNS).where(_THIS_SESSION))
_LOOK_UP = Statement(select(*_COLUMNS).where(_VISIBLE, AnyOf(Session.id, "identifiers")))
_CHANGE = Statement(
    update(Session)
    .where(_THIS_SESSION)
    .values(context=new_value_if_set(Session.context))
    .returning(*_COLUMNS)
)


def sessions(session: ReadSession) -> AsyncIterator[list[Row]]:
    """Yield all sessions in parts, in the order of their identifiers."""
    return read_parts(session, LIST)


async def get(session: ReadSession, identifier: int) -> Row | None:
    """Return a session, or None."""
    return await session.one_or_none(_GET, identifier=identifier)


async def look_up(session: ReadSession, identifiers: Sequence[int]) -> list[Row]:
    """Return sessions in the order of `identifiers`, without the unknown."""
    return await common.look_up(session, _LOOK_UP, identifiers)


async def change(session: WriteSession, identifier: int, fields: Mapping[str, Any]) -> Row | None:
    """Replace the context if it is in `fields`; return the session, or None."""
    values = values_if_set(["context"], fields)
    return await session.one_or_none(_CHANGE, identifier=identifier, **values)
