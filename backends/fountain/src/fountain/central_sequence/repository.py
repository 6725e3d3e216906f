"""The statements on numbers and versions. Only here is SQL written."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import bindparam, func, insert, select, update

from bedplate.database import ReadSession, Row, Statement, WriteSession, any_of
from fountain.central_sequence.models import Counter, Element, Version
from fountain.moves import Moves

_THIS = (Element.element_type == bindparam("kind"), Element.element_id == bindparam("identifier"))

_NUMBER = Statement(select(Element.number).where(*_THIS))
# An update that changes nothing takes the row's lock until the transaction ends.
_LOCK = Statement(update(Counter).values(last=Counter.last).returning(Counter.last))
_COUNT_ON = Statement(update(Counter).values(last=Counter.last + 1).returning(Counter.last))
_ADD = Statement(
    insert(Element).values(
        element_type=bindparam("kind"), element_id=bindparam("identifier"), number=bindparam("new")
    )
)
_HELD = Statement(
    select(Element.element_id, Element.number).where(
        Element.element_type == bindparam("kind"), any_of(Element.element_id, "identifiers")
    )
)
# Numbers are unique at every moment, so they make room below zero before they are given anew.
_MAKE_ROOM = Statement(
    update(Element)
    .where(Element.element_type == bindparam("kind"), any_of(Element.element_id, "identifiers"))
    .values(number=-Element.number)
)
_MOVE = Moves("sequence_elements", "number", key="number")
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


async def number(session: ReadSession | WriteSession, kind: str, identifier: int) -> int | None:
    """Return the number that an element holds, or None."""
    row = await session.one_or_none(_NUMBER, kind=kind, identifier=identifier)
    return row["number"] if row else None


async def lock(session: WriteSession) -> None:
    """Wait until no other transaction changes numbers; none can until this one ends."""
    await session.one(_LOCK)


async def add(session: WriteSession, kind: str, identifier: int) -> int:
    """Give an element the next number."""
    counted = await session.one(_COUNT_ON)
    await session.all(_ADD, kind=kind, identifier=identifier, new=counted["last"])
    return int(counted["last"])


async def held(
    session: ReadSession | WriteSession, kind: str, identifiers: Sequence[int]
) -> dict[int, int]:
    """Return the numbers of those elements that are known, by their identifiers."""
    rows = await session.all(_HELD, kind=kind, identifiers=list(identifiers))
    return {row["element_id"]: row["number"] for row in rows}


async def move(session: WriteSession, kind: str, moves: Mapping[int, tuple[int, int]]) -> None:
    """Give elements, by their identifiers, another number for the one they hold.

    The new numbers are those that these elements hold now.
    """
    await session.all(_MAKE_ROOM, kind=kind, identifiers=list(moves))
    await _MOVE.run(session, [(-old, new) for old, new in moves.values()])


async def add_version(
    session: WriteSession, kind: str, identifier: int, *, first: int, data: str, now: datetime
) -> int:
    """Store a further version, `first` or one more than the latest; return its number."""
    row: Row = await session.one(_LATEST_VERSION, kind=kind, identifier=identifier)
    new = first if row["latest"] is None else int(row["latest"]) + 1
    await session.all(
        _ADD_VERSION, kind=kind, identifier=identifier, new=new, new_data=data, now=now
    )
    return new
