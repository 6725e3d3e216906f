from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import bindparam, func, insert, select, update

from bedplate.database import AnyOf, ReadSession, Row, Statement, WriteSession
from fountain.central_sequence.models import Counter, Element, Version
from fountain.common.repository import BulkUpdate

_OF_KIND = Element.element_type == bindparam("kind")
_LISTED = (_OF_KIND, AnyOf(Element.element_id, "identifiers"))

# An update that changes nothing locks the row until the transaction ends.
_LOCK = Statement(update(Counter).values(last=Counter.last).returning(Counter.last))
_INCREMENT = Statement(update(Counter).values(last=Counter.last + 1).returning(Counter.last))
_ADD = Statement(
    insert(Element).values(
        element_type=bindparam("kind"), element_id=bindparam("identifier"), number=bindparam("new")
    )
)
_NUMBERS = Statement(select(Element.element_id, Element.number).where(*_LISTED))
# Numbers are unique at every moment, so they move below zero before they are given anew.
_NEGATE = Statement(update(Element).where(*_LISTED).values(number=-Element.number))
_RENUMBER = BulkUpdate("sequence_elements", "number", key="number")
_LATEST_VERSION = Statement(
    select(func.max(Version.version).label("latest")).where(
        Version.element_type == bindparam("kind"), Version.element_id == bindparam("identifier")
    )
)
_ADD_VERSION = Statement(
    insert(Version).values(
        element_type=bindparam("kind"),
        element_id=bindparam("identifier"),
        version=bindparam("new"),
        data=bindparam("new_data"),
        created_at=bindparam("now"),
    )
)


async def lock(session: WriteSession) -> None:
    """Wait for other transactions that change numbers, and keep them out until this one ends."""
    await session.one(_LOCK)


async def add(session: WriteSession, kind: str, identifier: int) -> int:
    """Store an element and return its number, the next one."""
    number = int((await session.one(_INCREMENT))["last"])
    await session.all(_ADD, kind=kind, identifier=identifier, new=number)
    return number


async def numbers(
    session: ReadSession | WriteSession, kind: str, identifiers: Sequence[int]
) -> dict[int, int]:
    """Return the numbers of those elements that exist, by identifier."""
    rows = await session.all(_NUMBERS, kind=kind, identifiers=list(identifiers))
    return {row["element_id"]: row["number"] for row in rows}


async def renumber(
    session: WriteSession, kind: str, changes: Mapping[int, tuple[int, int]]
) -> None:
    """Change the numbers of elements: `changes` has the old and the new one by identifier.

    The new numbers are the old ones in another order.
    """
    await session.all(_NEGATE, kind=kind, identifiers=list(changes))
    await _RENUMBER.run(session, [(-old, new) for old, new in changes.values()])


async def add_version(
    session: WriteSession, kind: str, identifier: int, *, first: int, data: str, now: datetime
) -> int:
    """Store a version and return its number: `first`, or one more than the latest."""
    row: Row = await session.one(_LATEST_VERSION, kind=kind, identifier=identifier)
    number = first if row["latest"] is None else int(row["latest"]) + 1
    await session.all(
        _ADD_VERSION, kind=kind, identifier=identifier, new=number, new_data=data, now=now
    )
    return number
