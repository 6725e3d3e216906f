"""The rules of numbers: each unique, none left out, one counter over all kinds of element.

Who changes numbers locks the counter first, so changes come one after the other.
"""

import json
from collections.abc import Sequence
from typing import Any

from pydantic import MISSING

from bedplate import clock
from bedplate.database import Database, ReadSession, WriteSession
from bedplate.schemas import MAX_INT64, MIN_INT64
from fountain.central_sequence import repository
from fountain.central_sequence.exceptions import ReorderRefused
from fountain.central_sequence.schemas import Element

FIRST_RECORDED_VERSION = 2
"""The element as it was first made is version 1; nobody records that one."""


async def number(database: Database, kind: str, identifier: int) -> int:
    """Return the number of an element: the one it holds, or the next."""
    known = await repository.number(database.read(), kind, identifier)
    if known is not None:
        return known
    async with database.write() as session:
        await repository.lock(session)
        known = await repository.number(session, kind, identifier)
        return known or await repository.add(session, kind, identifier)


async def numbers(session: ReadSession, kind: str, identifiers: Sequence[int]) -> dict[int, int]:
    """Return the numbers that elements hold, in the order asked for, without those without one."""
    storable = [one for one in identifiers if MIN_INT64 <= one <= MAX_INT64]
    held = await repository.held(session, kind, storable)
    return {one: held[one] for one in storable if one in held}


async def reorder(session: WriteSession, kind: str, elements: Sequence[Element]) -> None:
    """Let elements of one kind exchange their numbers. Raises `ReorderRefused`."""
    wanted = _wanted(elements)
    await repository.lock(session)
    held = await repository.held(session, kind, list(wanted))
    if len(held) < len(wanted):
        raise ReorderRefused("An element is listed that has no number.")
    if set(held.values()) != set(wanted.values()):
        raise ReorderRefused(
            "The listed elements can exchange the numbers they hold, and take no others: "
            f"they hold {_shown(sorted(held.values()))}."
        )
    moves = {one: (held[one], new) for one, new in wanted.items() if held[one] != new}
    await repository.move(session, kind, moves)


def _wanted(elements: Sequence[Element]) -> dict[int, int]:
    wanted: dict[int, int] = {}
    for element in elements:
        if element.element_id is MISSING or element.new_sequence is MISSING:
            raise ReorderRefused("Each element needs its elementId and its newSequence.")
        if element.element_id in wanted:
            raise ReorderRefused("An element is listed twice.")
        wanted[element.element_id] = element.new_sequence
    if len(set(wanted.values())) < len(wanted):
        raise ReorderRefused("A number is given to two elements.")
    return wanted


def _shown(numbers: Sequence[int], most: int = 20) -> str:
    listed = ", ".join(map(str, numbers[:most]))
    return f"{listed} and {len(numbers) - most} more" if len(numbers) > most else listed


async def record_version(
    session: WriteSession, kind: str, identifier: int, data: dict[str, Any]
) -> int:
    """Store a further version of an element, and return its number."""
    await repository.lock(session)
    return await repository.add_version(
        session,
        kind,
        identifier,
        first=FIRST_RECORDED_VERSION,
        data=json.dumps(data, separators=(",", ":")),
        now=clock.now(),
    )
