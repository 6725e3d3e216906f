"""The statements on scripts, headings and elements. Only here is SQL written."""

from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import Any, cast

from sqlalchemy import (
    BigInteger,
    Boolean,
    ColumnElement,
    Select,
    Table,
    Text,
    bindparam,
    case,
    insert,
    literal,
    null,
    select,
    union_all,
    update,
)
from sqlalchemy import cast as sql_cast

from bedplate.database import ReadSession, Row, Statement, WriteSession
from fountain.listing import in_parts, part_of
from fountain.moves import Moves
from fountain.numbering import Numbered
from fountain.scripts.models import Script, ScriptElement, SectionHeading

_SCRIPT_FIELDS = ("title", "author", "description")
SCRIPTS = Numbered("script", cast("Table", Script.__table__), *_SCRIPT_FIELDS)
HEADINGS = Numbered("section", cast("Table", SectionHeading.__table__), "script_id", "title")
PARTS = ("heading_id", "character_id", "action_id", "spoken_word_id", "context_id")
"""What an element may refer to."""

_SCRIPT = (Script.id, Script.title, Script.author, Script.description, Script.sequence_number)
_HEADING = (
    SectionHeading.id,
    SectionHeading.script_id,
    SectionHeading.title,
    SectionHeading.sequence_number,
)
_ELEMENT = (
    ScriptElement.id,
    ScriptElement.script_id,
    ScriptElement.position,
    *(getattr(ScriptElement, part) for part in PARTS),
)

_SCRIPT_SEEN = Script.sequence_number.is_not(None)
_THIS_SCRIPT = (Script.id == bindparam("script_id")) & _SCRIPT_SEEN
_ITS_HEADINGS = (SectionHeading.script_id == bindparam("script_id")) & (
    SectionHeading.sequence_number.is_not(None)
)
_THIS_HEADING = (SectionHeading.id == bindparam("heading_id")) & _ITS_HEADINGS
_ITS_ELEMENTS = ScriptElement.script_id == bindparam("script_id")


def _sent(name: str, column: Any) -> ColumnElement[Any]:
    return case(
        (bindparam(f"set_{name}", type_=Boolean), bindparam(f"new_{name}", type_=column.type)),
        else_=column,
    )


EVERY_SCRIPT = part_of(select(*_SCRIPT).where(_SCRIPT_SEEN))
_ONE_SCRIPT = Statement(select(*_SCRIPT).where(_THIS_SCRIPT))
_CHANGE_SCRIPT = Statement(
    update(Script)
    .where(_THIS_SCRIPT)
    .values({name: _sent(name, getattr(Script, name)) for name in _SCRIPT_FIELDS})
    .returning(Script.id, Script.sequence_number)
)
_HEADINGS_OF = Statement(
    select(*_HEADING)
    .where(_ITS_HEADINGS)
    .order_by(SectionHeading.sequence_number, SectionHeading.id)
)
_ONE_HEADING = Statement(select(*_HEADING).where(_THIS_HEADING))
_CHANGE_HEADING = Statement(
    update(SectionHeading)
    .where(_THIS_HEADING)
    .values(title=_sent("title", SectionHeading.title))
    .returning(*_HEADING)
)
_ELEMENTS_OF = Statement(
    select(*_ELEMENT)
    .where(_ITS_ELEMENTS, ScriptElement.position.between(bindparam("first"), bindparam("last")))
    .order_by(ScriptElement.position)
)
_ONE_ELEMENT = Statement(
    select(*_ELEMENT).where(_ITS_ELEMENTS, ScriptElement.id == bindparam("element_id"))
)
# Who changes the elements of a script changes its count first, and thereby locks the others out.
_COUNT_ON = Statement(
    update(Script)
    .where(_THIS_SCRIPT)
    .values(element_count=Script.element_count + bindparam("more"))
    .returning(Script.element_count)
)
# Places are unique at every moment, so elements make room below zero before they get new ones.
_MAKE_ROOM = Statement(
    update(ScriptElement)
    .where(_ITS_ELEMENTS, ScriptElement.position >= bindparam("first"))
    .values(position=-(ScriptElement.position + bindparam("further")))
)
_SETTLE = Statement(
    update(ScriptElement)
    .where(_ITS_ELEMENTS, ScriptElement.position < 0)
    .values(position=-ScriptElement.position)
)
_PLACE = Statement(
    insert(ScriptElement)
    .values(
        script_id=bindparam("script_id"),
        position=bindparam("new_position"),
        **{part: bindparam(f"new_{part}") for part in PARTS},
    )
    .returning(*_ELEMENT)
)
_ELEMENT_IDS = Statement(select(ScriptElement.id).where(_ITS_ELEMENTS))
_MOVE_ELEMENTS = Moves("script_elements", "position")

_BEGIN_REORDER = Statement(
    update(Script)
    .where(_THIS_SCRIPT)
    .values(recheck_at=bindparam("recheck_at", type_=Script.recheck_at.type))
    .returning(Script.id)
)
_BEGIN_COPY = Statement(
    update(Script)
    .where(_THIS_SCRIPT)
    .values(copies_begun=Script.copies_begun + 1)
    .returning(Script.copies_begun)
)
_STORE_COPY = Statement(
    update(Script)
    .where(_THIS_SCRIPT, Script.copies_stored < bindparam("ticket"))
    .values(copies_stored=bindparam("ticket"))
    .returning(Script.id)
)
_RENUMBER_HEADINGS = Moves("section_headings", "sequence_number")
_DUE = Statement(
    select(Script.id, Script.recheck_at)
    .where(Script.recheck_at <= bindparam("now", type_=Script.recheck_at.type))
    .order_by(Script.recheck_at)
)
_END_RECHECK = Statement(
    update(Script)
    .where(_THIS_SCRIPT, Script.recheck_at == bindparam("seen", type_=Script.recheck_at.type))
    .values(recheck_at=None)
)


def _part(kind: int, where: Any, **columns: Any) -> Select[Any]:
    """Return one part of a structure: every part has the same columns, most of them empty."""
    texts = ("title", "author", "description")
    numbers = ("id", "script_id", "place", *PARTS)
    empty = {
        **{name: sql_cast(null(), Text) for name in texts},
        **{name: sql_cast(null(), BigInteger) for name in numbers},
    }
    found = {**empty, **columns}
    return select(literal(kind).label("kind"), *(found[n].label(n) for n in empty)).where(where)


SCRIPT, HEADING, ELEMENT = range(3)
_PARTS_OF_STRUCTURE = union_all(
    _part(
        SCRIPT,
        _THIS_SCRIPT,
        id=Script.id,
        place=Script.sequence_number,
        **{name: getattr(Script, name) for name in _SCRIPT_FIELDS},
    ),
    _part(
        HEADING,
        _ITS_HEADINGS,
        id=SectionHeading.id,
        script_id=SectionHeading.script_id,
        title=SectionHeading.title,
        place=SectionHeading.sequence_number,
    ),
    _part(
        ELEMENT,
        _ITS_ELEMENTS,
        id=ScriptElement.id,
        script_id=ScriptElement.script_id,
        place=ScriptElement.position,
        **{part: getattr(ScriptElement, part) for part in PARTS},
    ),
).subquery()
# One statement sees one moment, on both databases and without a transaction.
_STRUCTURE = Statement(
    select(_PARTS_OF_STRUCTURE).order_by(
        _PARTS_OF_STRUCTURE.c.kind, _PARTS_OF_STRUCTURE.c.place, _PARTS_OF_STRUCTURE.c.id
    )
)


def every_script(session: ReadSession) -> AsyncIterator[list[Row]]:
    """Yield every script in parts, in the order of their identifiers."""
    return in_parts(session, EVERY_SCRIPT)


async def script(session: ReadSession, script_id: int) -> Row | None:
    """Return a script, or None."""
    return await session.one_or_none(_ONE_SCRIPT, script_id=script_id)


async def change_script(
    session: WriteSession, script_id: int, fields: dict[str, Any]
) -> Row | None:
    """Change the given fields; return identifier and number of the script, or None."""
    values: dict[str, Any] = {}
    for name in _SCRIPT_FIELDS:
        values[f"set_{name}"] = name in fields
        values[f"new_{name}"] = fields.get(name)
    rows = await session.alone(_CHANGE_SCRIPT, script_id=script_id, **values)
    return rows[0] if rows else None


async def structure(session: ReadSession, script_id: int) -> list[Row]:
    """Return script, headings and elements at one moment, told apart by `kind`, each in order."""
    return await session.all(_STRUCTURE, script_id=script_id)


async def headings(session: ReadSession | WriteSession, script_id: int) -> list[Row]:
    """Return the headings of a script in the order of their numbers."""
    return await session.all(_HEADINGS_OF, script_id=script_id)


async def change_heading(
    session: WriteSession, script_id: int, heading_id: int, title: str | None
) -> Row | None:
    """Change the title unless that is None; return the heading, or None."""
    rows = await session.alone(
        _CHANGE_HEADING,
        script_id=script_id,
        heading_id=heading_id,
        set_title=title is not None,
        new_title=title,
    )
    return rows[0] if rows else None


async def heading(
    session: ReadSession | WriteSession, script_id: int, heading_id: int
) -> Row | None:
    """Return a heading of a script, or None."""
    return await session.one_or_none(_ONE_HEADING, script_id=script_id, heading_id=heading_id)


async def elements(session: ReadSession, script_id: int, first: int, last: int) -> list[Row]:
    """Return the elements between two places, both included, in order."""
    return await session.all(_ELEMENTS_OF, script_id=script_id, first=first, last=last)


async def element(session: ReadSession, script_id: int, element_id: int) -> Row | None:
    """Return an element of a script, or None."""
    return await session.one_or_none(_ONE_ELEMENT, script_id=script_id, element_id=element_id)


async def lock_elements(session: WriteSession, script_id: int, *, more: int = 0) -> int | None:
    """Let no other transaction change the elements of a script until this one ends.

    Adds `more` to their count and returns it, or None when there is no such script.
    """
    row = await session.one_or_none(_COUNT_ON, script_id=script_id, more=more)
    return None if row is None else int(row["element_count"])


async def shift_elements(session: WriteSession, script_id: int, first: int) -> None:
    """Move the elements from a place on up by one."""
    await session.all(_MAKE_ROOM, script_id=script_id, first=first, further=1)
    await session.all(_SETTLE, script_id=script_id)


async def place(session: WriteSession, script_id: int, position: int, **parts: int | None) -> Row:
    """Store an element at a free place and return it."""
    new = {f"new_{part}": parts.get(part) for part in PARTS}
    return await session.one(_PLACE, script_id=script_id, new_position=position, **new)


async def element_ids(session: WriteSession, script_id: int) -> set[int]:
    """Return the identifiers of a script's elements."""
    return {row["id"] for row in await session.all(_ELEMENT_IDS, script_id=script_id)}


async def order_elements(session: WriteSession, script_id: int, order: Sequence[int]) -> None:
    """Give the elements of a script the places 1, 2, 3 … in this order, which names each once."""
    await session.all(_MAKE_ROOM, script_id=script_id, first=1, further=0)
    await _MOVE_ELEMENTS.run(session, [(one, place) for place, one in enumerate(order, 1)])


async def begin_reorder(session: WriteSession, script_id: int, recheck_at: datetime) -> bool:
    """Note when the headings' numbers are to be read again; return whether the script is there."""
    return bool(await session.all(_BEGIN_REORDER, script_id=script_id, recheck_at=recheck_at))


async def begin_copy(session: WriteSession, script_id: int) -> int:
    """Return a ticket, larger than all before, for numbers that are read from now on."""
    rows = await session.alone(_BEGIN_COPY, script_id=script_id)
    return int(rows[0]["copies_begun"])


async def store_copy(
    session: WriteSession, script_id: int, ticket: int, numbers: Sequence[tuple[int, int]]
) -> None:
    """Store the numbers of headings, unless a copy with a later ticket is stored already."""
    if await session.all(_STORE_COPY, script_id=script_id, ticket=ticket):
        await _RENUMBER_HEADINGS.run(session, numbers)


async def rechecks_due(session: ReadSession, now: datetime) -> list[Row]:
    """Return `id` and `recheck_at` of the scripts whose headings' numbers are to be read again."""
    return await session.all(_DUE, now=now)


async def end_recheck(session: WriteSession, script_id: int, seen: datetime) -> None:
    """Note that the numbers were read again, unless a reorder has begun since."""
    await session.alone(_END_RECHECK, script_id=script_id, seen=seen)
