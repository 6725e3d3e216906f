"""The Central Sequence Service, as the other services see it."""

from collections.abc import Mapping, Sequence
from typing import Any

from bedplate.clients import UpstreamUnavailable
from bedplate.clients.client import ServiceClient

MAX_IDS_PER_LOOKUP = 5000


async def number(sequence: ServiceClient, kind: str, identifier: int) -> int:
    """Return the number of an element, which gets one if it has none. Doing it again is safe.

    Raises `UpstreamUnavailable`.
    """
    element = {"elementType": kind, "elementId": identifier}
    answer = await sequence.post("/sequence", element, repeatable=True)
    return _whole(sequence, answer, "sequenceNumber")


async def numbers(
    sequence: ServiceClient, kind: str, identifiers: Sequence[int]
) -> list[tuple[int, int]]:
    """Return the identifiers and numbers of those elements that have one.

    Up to `MAX_IDS_PER_LOOKUP` of them are read at one moment. Raises `UpstreamUnavailable`.
    """
    found: list[tuple[int, int]] = []
    for start in range(0, len(identifiers), MAX_IDS_PER_LOOKUP):
        some = list(identifiers[start : start + MAX_IDS_PER_LOOKUP])
        wanted = {"elementType": kind, "elementIds": some}
        for entry in await sequence.post("/sequence/lookup", wanted, repeatable=True):
            names = ("elementId", "sequenceNumber")
            identifier, held = (_whole(sequence, entry, name) for name in names)
            found.append((identifier, held))
    return found


async def reorder(sequence: ServiceClient, kind: str, wanted: Mapping[int, int]) -> None:
    """Give elements other numbers, by identifier. Doing it again is safe.

    Raises `UpstreamRefused` when they can't have these, `UpstreamUnavailable`: then it is unknown
    whether they have.
    """
    elements = [{"elementId": one, "newSequence": new} for one, new in wanted.items()]
    order = {"elementType": kind, "elements": elements}
    await sequence.post("/sequence/reorder", order, repeatable=True)


def _whole(sequence: ServiceClient, answer: Any, name: str) -> int:
    value = answer.get(name) if isinstance(answer, dict) else None
    if type(value) is not int:
        raise UpstreamUnavailable(f"{sequence.name} gave an answer without {name}.")
    return value
