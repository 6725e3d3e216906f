from bedplate.clients.client import ServiceClient
from bedplate.database import Database, ReadSession, Row, WriteSession
from bedplate.schemas import MAX_INT64
from fountain.common import service as numbering
from fountain.common.contracts import members
from fountain.scripts import repository, schemas
from fountain.scripts.exceptions import (
    ElementNotFound,
    HeadingNotFound,
    PositionRefused,
    ReorderRefused,
    ScriptNotFound,
)
from fountain.scripts.repository import HEADINGS, SCRIPTS, Structure


async def create(database: Database, sequence: ServiceClient, new: schemas.ScriptRequest) -> Row:
    """Store a script; return its identifier and number.

    Raises `UpstreamUnavailable`: then nothing is stored.
    """
    fields = {"author": None, "description": None, **members(new)}
    identifier, number = await numbering.create(SCRIPTS, database, sequence, **fields)
    return {"id": identifier, "sequence_number": number}


async def get(session: ReadSession, script_id: int) -> Row:
    """Return a script. Raises `ScriptNotFound`."""
    script = await repository.script(session, script_id)
    if script is None:
        raise ScriptNotFound
    return script


async def change(session: WriteSession, script_id: int, update: schemas.ScriptUpdateRequest) -> Row:
    """Change the members of `update`; return identifier and number. Raises `ScriptNotFound`."""
    script = await repository.change_script(session, script_id, members(update))
    if script is None:
        raise ScriptNotFound
    return script


async def structure(session: ReadSession, script_id: int) -> Structure:
    """Return a script, its headings and its elements at one moment. Raises `ScriptNotFound`."""
    structure = await repository.structure(session, script_id)
    if structure is None:
        raise ScriptNotFound
    return structure


async def headings(session: ReadSession, script_id: int) -> list[Row]:
    """Return the headings of a script in order. Raises `ScriptNotFound`."""
    headings = await repository.headings(session, script_id)
    if not headings:
        await get(session, script_id)
    return headings


async def get_heading(session: ReadSession | WriteSession, script_id: int, heading_id: int) -> Row:
    """Return a heading of a script. Raises `HeadingNotFound`."""
    heading = await repository.heading(session, script_id, heading_id)
    if heading is None:
        raise HeadingNotFound
    return heading


async def add_heading(
    database: Database, sequence: ServiceClient, script_id: int, new: schemas.SectionHeadingRequest
) -> Row:
    """Store a heading; return its identifier, its script's and its number.

    Raises `ScriptNotFound` and `UpstreamUnavailable`: then nothing is stored.
    """
    await get(database.read(), script_id)
    fields = {"script_id": script_id, "title": new.title}
    identifier, number = await numbering.create(HEADINGS, database, sequence, **fields)
    return {"id": identifier, "sequence_number": number, **fields}


async def change_heading(
    session: WriteSession,
    script_id: int,
    heading_id: int,
    update: schemas.SectionHeadingUpdateRequest,
) -> Row:
    """Change the members of `update`; return the heading. Raises `HeadingNotFound`."""
    heading = await repository.change_heading(session, script_id, heading_id, members(update))
    if heading is None:
        raise HeadingNotFound
    return heading


async def elements(
    session: ReadSession, script_id: int, first: int | None, last: int | None
) -> list[Row]:
    """Return the elements from position `first` to `last`, both included; None means unbounded.

    Raises `ScriptNotFound`.
    """
    first = 1 if first is None else first
    last = MAX_INT64 if last is None else last
    elements = await repository.elements(session, script_id, first, last)
    if not elements:
        await get(session, script_id)
    return elements


async def get_element(session: ReadSession, script_id: int, element_id: int) -> Row:
    """Return an element of a script. Raises `ElementNotFound`."""
    element = await repository.element(session, script_id, element_id)
    if element is None:
        raise ElementNotFound
    return element


async def place(session: WriteSession, script_id: int, new: schemas.ElementRequest) -> Row:
    """Store an element and return it; those from its position on move up by one.

    Raises `ScriptNotFound`, `HeadingNotFound` and `PositionRefused`.
    """
    fields = members(new)
    count = await repository.lock_elements(session, script_id, more=1)
    if count is None:
        raise ScriptNotFound
    heading_id = fields.get("heading_id")
    if heading_id is not None:
        await get_heading(session, script_id, heading_id)
    position: int = fields.get("position", count)
    if not 1 <= position <= count:
        raise PositionRefused(f"position: It must be between 1 and {count}.")
    if position < count:
        await repository.shift_elements(session, script_id, position)
    return await repository.add_element(session, script_id, position, fields)


async def order_elements(session: WriteSession, script_id: int, order: list[int]) -> None:
    """Put the elements of a script in this order. Raises `ScriptNotFound` and `ReorderRefused`."""
    count = await repository.lock_elements(session, script_id)
    if count is None:
        raise ScriptNotFound
    if len(order) != count or set(order) != await repository.element_ids(session, script_id):
        raise ReorderRefused("elementIds: Every element of the script must be listed, each once.")
    await repository.order_elements(session, script_id, order)
