"""The Central Sequence Service, as the other services see it."""

from collections.abc import Mapping, Sequence
from typing import Any

from bedplate.neighbours import NeighbourUnavailable
from bedplate.neighbours.client import Neighbour

MOST_LOOKED_UP = 5000


async def number(sequence: Neighbour, kind: str, identifier: int) -> int:
    """Return the number of an element, which gets one if it has none. Doing it again is safe.

    Raises `NeighbourUnavailable`.
    """
    element = {"elementType": kind, "elementId": identifier}
    answer = await sequence.post("/sequence", element, repeatable=True)
    return _whole(sequence, answer, "sequenceNumber")


async def numbers(
    sequence: Neighbour, kind: str, identifiers: Sequence[int]
) -> list[tuple[int, int]]:
    """Return the identifiers and numbers of those elements that have one.

    Up to `MOST_LOOKED_UP` of them are read at one moment. Raises `NeighbourUnavailable`.
    """
    found: list[tuple[int, int]] = []
    for start in range(0, len(identifiers), MOST_LOOKED_UP):
        some = list(identifiers[start : start + MOST_LOOKED_UP])
        wanted = {"elementType": kind, "elementIds": some}
        for entry in await sequence.post("/sequence/lookup", wanted, repeatable=True):
            names = ("elementId", "sequenceNumber")
            identifier, held = (_whole(sequence, entry, name) for name in names)
            found.append((identifier, held))
    return found


async def reorder(sequence: Neighbour, kind: str, wanted: Mapping[int, int]) -> None:
    """Give elements other numbers, by identifier. Doing it again is safe.

    Raises `NeighbourRefused` when they can't have these, `NeighbourUnavailable`: then it is unknown
    whether they have.
    """
    elements = [{"elementId": one, "newSequence": new} for one, new in wanted.items()]
    order = {"elementType": kind, "elements": elements}
    await sequence.post("/sequence/reorder", order, repeatable=True)


def _whole(sequence: Neighbour, answer: Any, name: str) -> int:
    value = answer.get(name) if isinstance(answer, dict) else None
    if type(value) is not int:
        raise NeighbourUnavailable(f"{sequence.name} gave an answer without {name}.")
    return value
