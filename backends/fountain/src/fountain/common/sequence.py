"""Calls to the Central Sequence Service."""

from collections.abc import Mapping, Sequence
from typing import Any

from bedplate.clients import UpstreamUnavailable
from bedplate.clients.client import ServiceClient

MAX_IDS_PER_LOOKUP = 5000


async def number_of(sequence: ServiceClient, kind: str, identifier: int) -> int:
    """Return the number of an element, which gets the next one if it has none.

    Repeating it is safe. Raises `UpstreamUnavailable`.
    """
    element = {"elementType": kind, "elementId": identifier}
    answer = await sequence.post("/sequence", element, repeatable=True)
    return _integer(sequence, answer, "sequenceNumber")


async def numbers_of(
    sequence: ServiceClient, kind: str, identifiers: Sequence[int]
) -> list[tuple[int, int]]:
    """Return identifier and number of those elements that have one.

    Each `MAX_IDS_PER_LOOKUP` of them are read at one moment. Raises `UpstreamUnavailable`.
    """
    pairs: list[tuple[int, int]] = []
    for start in range(0, len(identifiers), MAX_IDS_PER_LOOKUP):
        some = list(identifiers[start : start + MAX_IDS_PER_LOOKUP])
        query = {"elementType": kind, "elementIds": some}
        for entry in await sequence.post("/sequence/lookup", query, repeatable=True):
            identifier = _integer(sequence, entry, "elementId")
            pairs.append((identifier, _integer(sequence, entry, "sequenceNumber")))
    return pairs


async def reorder(sequence: ServiceClient, kind: str, numbers: Mapping[int, int]) -> None:
    """Give elements other numbers, by identifier. Repeating it is safe.

    Raises `UpstreamRefused` when they can't have these numbers. Raises `UpstreamUnavailable` when
    it is unknown whether they have them now.
    """
    elements = [{"elementId": identifier, "newSequence": n} for identifier, n in numbers.items()]
    order = {"elementType": kind, "elements": elements}
    await sequence.post("/sequence/reorder", order, repeatable=True)


def _integer(sequence: ServiceClient, answer: Any, name: str) -> int:
    value = answer.get(name) if isinstance(answer, dict) else None
    if type(value) is not int:
        raise UpstreamUnavailable(f"{sequence.name} gave an answer without {name}.")
    return value
