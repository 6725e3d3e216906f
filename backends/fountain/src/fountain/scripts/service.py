"""The rules of scripts, headings and elements. Nothing here knows HTTP."""

from typing import Any

from pydantic import MISSING

from bedplate.clients.client import ServiceClient
from bedplate.contracts import ContractModel
from bedplate.database import Database, ReadSession, Row, WriteSession
from bedplate.schemas import MAX_INT64
from fountain.scripts import repository
from fountain.scripts.exceptions import (
    ElementNotFound,
    HeadingNotFound,
    PositionRefused,
    ReorderRefused,
    ScriptNotFound,
)
from fountain.scripts.repository import HEADINGS, PARTS, SCRIPTS
from fountain.scripts.schemas import (
    ElementRequest,
    ScriptRequest,
    ScriptUpdateRequest,
    SectionHeadingRequest,
    SectionHeadingUpdateRequest,
)


def _given(sent: ContractModel) -> dict[str, Any]:
    """Return the members that were sent."""
    return {name: value for name, value in sent if value is not MISSING}


async def create(
    database: Database, sequence: ServiceClient, new: ScriptRequest
) -> tuple[int, int]:
    """Store a script; return its identifier and number.

    Raises `UpstreamUnavailable`: then nothing is stored.
    """
    fields = {"author": None, "description": None, **_given(new)}
    return await SCRIPTS.store(database, sequence, **fields)


async def get(session: ReadSession, script_id: int) -> Row:
    """Return a script. Raises `ScriptNotFound`."""
    found = await repository.script(session, script_id)
    if found is None:
        raise ScriptNotFound
    return found


async def change(session: WriteSession, script_id: int, sent: ScriptUpdateRequest) -> Row:
    """Change what was sent; return identifier and number. Raises `ScriptNotFound`."""
    changed = await repository.change_script(session, script_id, _given(sent))
    if changed is None:
        raise ScriptNotFound
    return changed


async def structure(session: ReadSession, script_id: int) -> list[Row]:
    """Return a script, its headings and its elements at one moment. Raises `ScriptNotFound`."""
    found = await repository.structure(session, script_id)
    if not found or found[0]["kind"] != repository.SCRIPT:
        raise ScriptNotFound
    return found


async def headings(session: ReadSession, script_id: int) -> list[Row]:
    """Return the headings of a script in order. Raises `ScriptNotFound`."""
    found = await repository.headings(session, script_id)
    if not found:
        await get(session, script_id)
    return found


async def get_heading(session: ReadSession | WriteSession, script_id: int, heading_id: int) -> Row:
    """Return a heading of a script. Raises `HeadingNotFound`."""
    found = await repository.heading(session, script_id, heading_id)
    if found is None:
        raise HeadingNotFound
    return found


async def add_heading(
    database: Database, sequence: ServiceClient, script_id: int, new: SectionHeadingRequest
) -> tuple[int, int]:
    """Store a heading; return its identifier and number.

    Raises `ScriptNotFound`, `UpstreamUnavailable`: then nothing is stored.
    """
    await get(database.read(), script_id)
    return await HEADINGS.store(database, sequence, script_id=script_id, title=new.title)


async def change_heading(
    session: WriteSession, script_id: int, heading_id: int, sent: SectionHeadingUpdateRequest
) -> Row:
    """Change what was sent and return the heading. Raises `HeadingNotFound`."""
    title = _given(sent).get("title")
    changed = await repository.change_heading(session, script_id, heading_id, title)
    if changed is None:
        raise HeadingNotFound
    return changed


async def elements(
    session: ReadSession, script_id: int, first: int | None, last: int | None
) -> list[Row]:
    """Return the elements between two places, both included. Raises `ScriptNotFound`."""
    first = 1 if first is None else first
    last = MAX_INT64 if last is None else last
    found = await repository.elements(session, script_id, first, last)
    if not found:
        await get(session, script_id)
    return found


async def get_element(session: ReadSession, script_id: int, element_id: int) -> Row:
    """Return an element of a script. Raises `ElementNotFound`."""
    found = await repository.element(session, script_id, element_id)
    if found is None:
        raise ElementNotFound
    return found


async def place(session: WriteSession, script_id: int, new: ElementRequest) -> Row:
    """Place an element; those from its place on move up by one. Return it.

    Raises `ScriptNotFound`, `HeadingNotFound`, `PositionRefused`.
    """
    given = _given(new)
    count = await repository.lock_elements(session, script_id, more=1)
    if count is None:
        raise ScriptNotFound
    heading_id = given.get("heading_id")
    if heading_id is not None:
        await get_heading(session, script_id, heading_id)
    position: int = given.get("position", count)
    if not 1 <= position <= count:
        raise PositionRefused(f"position: It must be between 1 and {count}.")
    if position < count:
        await repository.shift_elements(session, script_id, position)
    parts = {part: given.get(part) for part in PARTS}
    return await repository.place(session, script_id, position, **parts)


async def order_elements(session: WriteSession, script_id: int, order: list[int]) -> None:
    """Put the elements of a script in this order. Raises `ScriptNotFound`, `ReorderRefused`."""
    count = await repository.lock_elements(session, script_id)
    if count is None:
        raise ScriptNotFound
    if len(order) != count or set(order) != await repository.element_ids(session, script_id):
        raise ReorderRefused("elementIds: Every element of the script must be listed, each once.")
    await repository.order_elements(session, script_id, order)
