from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Select,
    Text,
    bindparam,
    cast,
    insert,
    literal,
    null,
    select,
    union_all,
    update,
)

from bedplate.database import ReadSession, Row, Statement, WriteSession
from bedplate.database.partial_updates import new_value_if_set, values_if_set
from fountain.common.repository import (
    BulkUpdate,
    NumberedTable,
    part_statement,
    read_parts,
)
from fountain.scripts.models import Script, ScriptElement, SectionHeading

_TEXTS = ("title", "author", "description")
SCRIPTS = NumberedTable("script", Script, *_TEXTS)
HEADINGS = NumberedTable("section", SectionHeading, "script_id", "title")
PARTS = ("heading_id", "character_id", "action_id", "spoken_word_id", "context_id")
"""What an element may refer to."""
_NUMBERS = ("id", "script_id", "sequence_number", "position", *PARTS)

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

_VISIBLE_SCRIPT = Script.sequence_number.is_not(None)
_THIS_SCRIPT = (Script.id == bindparam("script_id")) & _VISIBLE_SCRIPT
_HEADINGS_OF_SCRIPT = (SectionHeading.script_id == bindparam("script_id")) & (
    SectionHeading.sequence_number.is_not(None)
)
_THIS_HEADING = (SectionHeading.id == bindparam("heading_id")) & _HEADINGS_OF_SCRIPT
_ELEMENTS_OF_SCRIPT = ScriptElement.script_id == bindparam("script_id")

LIST_SCRIPTS = part_statement(select(*_SCRIPT).where(_VISIBLE_SCRIPT))
_GET_SCRIPT = Statement(select(*_SCRIPT).where(_THIS_SCRIPT))
_UPDATE_SCRIPT = update(Script).where(_THIS_SCRIPT)
_CHANGE_SCRIPT = Statement(
    _UPDATE_SCRIPT.values(
        {name: new_value_if_set(getattr(Script, name)) for name in _TEXTS}
    ).returning(Script.id, Script.sequence_number)
)
_LIST_HEADINGS = Statement(
    select(*_HEADING)
    .where(_HEADINGS_OF_SCRIPT)
    .order_by(SectionHeading.sequence_number, SectionHeading.id)
)
_GET_HEADING = Statement(select(*_HEADING).where(_THIS_HEADING))
_CHANGE_HEADING = Statement(
    update(SectionHeading)
    .where(_THIS_HEADING)
    .values(title=new_value_if_set(SectionHeading.title))
    .returning(*_HEADING)
)
_LIST_ELEMENTS = Statement(
    select(*_ELEMENT)
    .where(_ELEMENTS_OF_SCRIPT)
    .where(ScriptElement.position.between(bindparam("first"), bindparam("last")))
    .order_by(ScriptElement.position)
)
_GET_ELEMENT = Statement(
    select(*_ELEMENT).where(_ELEMENTS_OF_SCRIPT, ScriptElement.id == bindparam("element_id"))
)
# Every change of a script's elements updates their count first, which locks the script.
_LOCK_ELEMENTS = Statement(
    _UPDATE_SCRIPT.values(element_count=Script.element_count + bindparam("more")).returning(
        Script.element_count
    )
)
# Positions are unique at every moment, so they move below zero before they are given anew.
_MAKE_NEGATIVE = Statement(
    update(ScriptElement)
    .where(_ELEMENTS_OF_SCRIPT, ScriptElement.position >= bindparam("first"))
    .values(position=-(ScriptElement.position + bindparam("further")))
)
_MAKE_POSITIVE = Statement(
    update(ScriptElement)
    .where(_ELEMENTS_OF_SCRIPT, ScriptElement.position < 0)
    .values(position=-ScriptElement.position)
)
_ADD_ELEMENT = Statement(
    insert(ScriptElement)
    .values(
        script_id=bindparam("script_id"),
        position=bindparam("new_position"),
        **{part: bindparam(f"new_{part}") for part in PARTS},
    )
    .returning(*_ELEMENT)
)
_ELEMENT_IDS = Statement(select(ScriptElement.id).where(_ELEMENTS_OF_SCRIPT))
_SET_POSITIONS = BulkUpdate("script_elements", "position")

_TIME = Script.recheck_at.type
_BEGIN_REORDER = Statement(
    _UPDATE_SCRIPT.values(recheck_at=bindparam("recheck_at", type_=_TIME)).returning(Script.id)
)
_BEGIN_COPY = Statement(
    _UPDATE_SCRIPT.values(copies_begun=Script.copies_begun + 1).returning(Script.copies_begun)
)
_STORE_COPY = Statement(
    _UPDATE_SCRIPT.where(Script.copies_stored < bindparam("ticket"))
    .values(copies_stored=bindparam("ticket"))
    .returning(Script.id)
)
_SET_HEADING_NUMBERS = BulkUpdate("section_headings", "sequence_number")
_LIST_DUE_RECHECKS = Statement(
    select(Script.id, Script.recheck_at)
    .where(Script.recheck_at <= bindparam("now", type_=_TIME))
    .order_by(Script.recheck_at)
)
_END_RECHECK = Statement(
    _UPDATE_SCRIPT.where(Script.recheck_at == bindparam("seen", type_=_TIME)).values(
        recheck_at=None
    )
)
SCRIPT, HEADING, ELEMENT = range(3)


def _part(kind: int, where: Any, columns: Iterable[Any], place: Any) -> Select[Any]:
    """Return one part of a structure: each has the same columns, null where its table has none."""
    own = {column.key: column for column in columns}
    empty = {
        **dict.fromkeys(_TEXTS, cast(null(), Text)),
        **dict.fromkeys(_NUMBERS, cast(null(), BigInteger)),
    }
    labelled = [own.get(name, nothing).label(name) for name, nothing in empty.items()]
    return select(literal(kind).label("kind"), place.label("place"), *labelled).where(where)


_PARTS_OF_STRUCTURE = union_all(
    _part(SCRIPT, _THIS_SCRIPT, _SCRIPT, Script.sequence_number),
    _part(HEADING, _HEADINGS_OF_SCRIPT, _HEADING, SectionHeading.sequence_number),
    _part(ELEMENT, _ELEMENTS_OF_SCRIPT, _ELEMENT, ScriptElement.position),
).subquery()
# One statement sees one moment, on both databases and without a transaction.
_GET_STRUCTURE = Statement(
    select(_PARTS_OF_STRUCTURE).order_by(
        _PARTS_OF_STRUCTURE.c.kind, _PARTS_OF_STRUCTURE.c.place, _PARTS_OF_STRUCTURE.c.id
    )
)


@dataclass(frozen=True)
class Structure:
    """A script with its headings and elements, in order, as they were at one moment."""

    script: Row
    headings: list[Row]
    elements: list[Row]


def scripts(session: ReadSession) -> AsyncIterator[list[Row]]:
    """Yield all scripts in parts, in the order of their identifiers."""
    return read_parts(session, LIST_SCRIPTS)


async def script(session: ReadSession, script_id: int) -> Row | None:
    """Return a script, or None."""
    return await session.one_or_none(_GET_SCRIPT, script_id=script_id)


async def change_script(
    session: WriteSession, script_id: int, fields: Mapping[str, Any]
) -> Row | None:
    """Change these fields; return identifier and number of the script, or None."""
    values = values_if_set(_TEXTS, fields)
    return await session.one_or_none(_CHANGE_SCRIPT, script_id=script_id, **values)


async def structure(session: ReadSession, script_id: int) -> Structure | None:
    """Return a script with its headings and elements, or None."""
    rows = await session.all(_GET_STRUCTURE, script_id=script_id)
    if not rows or rows[0]["kind"] != SCRIPT:
        return None
    headings, elements = ([row for row in rows if row["kind"] == n] for n in (HEADING, ELEMENT))
    return Structure(rows[0], headings, elements)


async def headings(session: ReadSession | WriteSession, script_id: int) -> list[Row]:
    """Return the headings of a script in the order of their numbers."""
    return await session.all(_LIST_HEADINGS, script_id=script_id)


async def change_heading(
    session: WriteSession, script_id: int, heading_id: int, fields: Mapping[str, Any]
) -> Row | None:
    """Change the title if it is in `fields`; return the heading, or None."""
    values = values_if_set(["title"], fields)
    return await session.one_or_none(
        _CHANGE_HEADING, script_id=script_id, heading_id=heading_id, **values
    )


async def heading(
    session: ReadSession | WriteSession, script_id: int, heading_id: int
) -> Row | None:
    """Return a heading of a script, or None."""
    return await session.one_or_none(_GET_HEADING, script_id=script_id, heading_id=heading_id)


async def elements(session: ReadSession, script_id: int, first: int, last: int) -> list[Row]:
    """Return the elements from position `first` to `last`, both included, in order."""
    return await session.all(_LIST_ELEMENTS, script_id=script_id, first=first, last=last)


async def element(session: ReadSession, script_id: int, element_id: int) -> Row | None:
    """Return an element of a script, or None."""
    return await session.one_or_none(_GET_ELEMENT, script_id=script_id, element_id=element_id)


async def lock_elements(session: WriteSession, script_id: int, *, more: int = 0) -> int | None:
    """Keep other transactions from changing the script's elements until this one ends.

    Adds `more` to their count and returns it, or None when there is no such script.
    """
    row = await session.one_or_none(_LOCK_ELEMENTS, script_id=script_id, more=more)
    return None if row is None else int(row["element_count"])


async def shift_elements(session: WriteSession, script_id: int, first: int) -> None:
    """Move the elements from position `first` on up by one."""
    await session.all(_MAKE_NEGATIVE, script_id=script_id, first=first, further=1)
    await session.all(_MAKE_POSITIVE, script_id=script_id)


async def add_element(
    session: WriteSession, script_id: int, position: int, fields: dict[str, Any]
) -> Row:
    """Store an element at a free position and return it."""
    new = {f"new_{part}": fields.get(part) for part in PARTS}
    return await session.one(_ADD_ELEMENT, script_id=script_id, new_position=position, **new)


async def element_ids(session: WriteSession, script_id: int) -> set[int]:
    """Return the identifiers of a script's elements."""
    return {row["id"] for row in await session.all(_ELEMENT_IDS, script_id=script_id)}


async def order_elements(session: WriteSession, script_id: int, order: Sequence[int]) -> None:
    """Give a script's elements the positions 1, 2, 3 … in this order, which names each once."""
    await session.all(_MAKE_NEGATIVE, script_id=script_id, first=1, further=0)
    await _SET_POSITIONS.run(session, [(at, position) for position, at in enumerate(order, 1)])


async def begin_reorder(session: WriteSession, script_id: int, recheck_at: datetime) -> bool:
    """Note when to read the headings' numbers again; return whether the script exists."""
    return bool(await session.all(_BEGIN_REORDER, script_id=script_id, recheck_at=recheck_at))


async def begin_copy(session: WriteSession, script_id: int) -> int:
    """Return a ticket, larger than all before, for numbers that are read from now on."""
    return int((await session.one(_BEGIN_COPY, script_id=script_id))["copies_begun"])


async def store_copy(
    session: WriteSession, script_id: int, ticket: int, numbers: Sequence[tuple[int, int]]
) -> None:
    """Store the numbers of headings, unless a copy with a later ticket is stored already."""
    if await session.all(_STORE_COPY, script_id=script_id, ticket=ticket):
        await _SET_HEADING_NUMBERS.run(session, numbers)


async def rechecks_due(session: ReadSession, now: datetime) -> list[Row]:
    """Return `id` and `recheck_at` of the scripts whose headings' numbers must be read again."""
    return await session.all(_LIST_DUE_RECHECKS, now=now)


async def end_recheck(session: WriteSession, script_id: int, recheck_at: datetime) -> None:
    """Note that the numbers were read again, unless another reorder has begun since."""
    await session.all(_END_RECHECK, script_id=script_id, seen=recheck_at)
