"""The rules of numbers: each unique, no gaps, one counter for all kinds of element.

Every change locks the counter first, so changes happen one after the other.
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
"""Version 1 is the element as it was created, which nobody records."""
_MAX_LISTED_NUMBERS = 20


async def number(database: Database, kind: str, identifier: int) -> int:
    """Return the number of an element, which gets the next one if it has none."""
    known = await repository.numbers(database.read(), kind, [identifier])
    if identifier in known:
        return known[identifier]
    async with database.write() as session:
        await repository.lock(session)
        known = await repository.numbers(session, kind, [identifier])
        return known.get(identifier) or await repository.add(session, kind, identifier)


async def numbers(session: ReadSession, kind: str, identifiers: Sequence[int]) -> dict[int, int]:
    """Return the numbers of elements in the order of `identifiers`, without the unknown."""
    storable = [identifier for identifier in identifiers if MIN_INT64 <= identifier <= MAX_INT64]
    known = await repository.numbers(session, kind, storable)
    return {identifier: known[identifier] for identifier in storable if identifier in known}


async def reorder(session: WriteSession, kind: str, elements: Sequence[Element]) -> None:
    """Exchange the numbers of elements of one kind. Raises `ReorderRefused`."""
    new = _new_numbers(elements)
    await repository.lock(session)
    old = await repository.numbers(session, kind, list(new))
    if len(old) < len(new):
        raise ReorderRefused("An element is listed that has no number.")
    if set(old.values()) != set(new.values()):
        raise ReorderRefused(
            "The listed elements can exchange the numbers they hold, and take no others: "
            f"they hold {_enumerate(sorted(old.values()))}."
        )
    changes = {at: (old[at], number) for at, number in new.items() if old[at] != number}
    await repository.renumber(session, kind, changes)


def _new_numbers(elements: Sequence[Element]) -> dict[int, int]:
    numbers: dict[int, int] = {}
    for element in elements:
        if element.element_id is MISSING or element.new_sequence is MISSING:
            raise ReorderRefused("Each element needs its elementId and its newSequence.")
        if element.element_id in numbers:
            raise ReorderRefused("An element is listed twice.")
        numbers[element.element_id] = element.new_sequence
    if len(set(numbers.values())) < len(numbers):
        raise ReorderRefused("A number is given to two elements.")
    return numbers


def _enumerate(numbers: Sequence[int]) -> str:
    text = ", ".join(map(str, numbers[:_MAX_LISTED_NUMBERS]))
    more = len(numbers) - _MAX_LISTED_NUMBERS
    return f"{text} and {more} more" if more > 0 else text


async def record_version(
    session: WriteSession, kind: str, identifier: int, data: dict[str, Any]
) -> int:
    """Store a later version of an element and return its number."""
    await repository.lock(session)
    text = json.dumps(data, separators=(",", ":"))
    return await repository.add_version(
        session, kind, identifier, first=FIRST_RECORDED_VERSION, data=text, now=clock.now()
    )
