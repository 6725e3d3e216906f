"""Numbers stay unique and without gaps, whoever asks at the same time."""

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Any

import pytest

from bedplate.database import Database
from bedplate.testing.client import Client
from fountain.central_sequence import service
from fountain.central_sequence.exceptions import ReorderRefused
from fountain.central_sequence.schemas import Element

Services = Mapping[str, Client]
OpenServices = Callable[..., AbstractAsyncContextManager[Services]]
OpenDatabase = Callable[[str], AbstractAsyncContextManager[Database]]

WRITERS = 32
REORDERS = 1000
KINDS = ("script", "section", "character")


@pytest.fixture
async def two_instances(open_services: OpenServices) -> AsyncIterator[list[Client]]:
    """Give clients of two instances of the service on one database."""
    async with (
        open_services("central-sequence") as first,
        open_services("central-sequence") as second,
    ):
        yield [first["central-sequence"], second["central-sequence"]]


async def test_concurrent_writers_get_gap_free_numbers(two_instances: list[Client]) -> None:
    """32 writers ask two instances for new pairs and for the same ones: each pair has one number,
    and all numbers from 1 on are given out.
    """
    pairs = [(kind, identifier) for kind in KINDS for identifier in range(8)]
    result: dict[tuple[str, int], set[int]] = {pair: set() for pair in pairs}

    async def write(writer: int) -> None:
        api = two_instances[writer % 2]
        mine = [*pairs, ("own", writer)]
        random.Random(writer).shuffle(mine)
        for kind, identifier in mine:
            element = {"elementType": kind, "elementId": identifier}
            answer = await api.post("/sequence", json=element)
            assert answer.status_code == 201, answer.text
            result.setdefault((kind, identifier), set()).add(answer.json()["sequenceNumber"])

    await asyncio.gather(*(write(writer) for writer in range(WRITERS)))
    assert all(len(numbers) == 1 for numbers in result.values())
    assert sorted(n for numbers in result.values() for n in numbers) == list(
        range(1, len(pairs) + WRITERS + 1)
    )


async def test_orders_race_and_numbers_stay_whole(two_instances: list[Client]) -> None:
    """Reorders that race with each other and with new elements neither lose nor double a number,
    and every order is one of those asked for.
    """
    count = 6
    for identifier in range(count):
        element = {"elementType": "section", "elementId": identifier}
        await two_instances[0].post("/sequence", json=element)
    asked: set[tuple[int, ...]] = {tuple(range(1, count + 1))}

    async def reorder(seed: int) -> None:
        order = list(range(1, count + 1))
        random.Random(seed).shuffle(order)
        asked.add(tuple(order))
        elements = [{"elementId": item, "newSequence": new} for item, new in enumerate(order)]
        body = {"elementType": "section", "elements": elements}
        answer = await two_instances[seed % 2].post("/sequence/reorder", json=body)
        assert answer.status_code == 200, answer.text

    async def add(seed: int) -> None:
        element = {"elementType": "character", "elementId": seed}
        assert (await two_instances[seed % 2].post("/sequence", json=element)).status_code == 201

    async def look() -> None:
        request = {"elementType": "section", "elementIds": list(range(count))}
        answer = await two_instances[1].post("/sequence/lookup", json=request)
        assert tuple(item["sequenceNumber"] for item in answer.json()) in asked

    work: list[Any] = []
    for seed in range(WRITERS):
        work += [reorder(seed), add(seed), look()]
    await asyncio.gather(*work)
    await look()
    request = {"elementType": "character", "elementIds": list(range(WRITERS))}
    added = (await two_instances[0].post("/sequence/lookup", json=request)).json()
    numbers_held = sorted(item["sequenceNumber"] for item in added)
    assert numbers_held == list(range(count + 1, count + WRITERS + 1))


async def test_versions_race(two_instances: list[Client]) -> None:
    """Versions that are recorded at the same time get a number each, without gaps."""

    async def record(writer: int) -> int:
        version = {"elementType": "x", "elementId": writer % 2, "newVersionData": {}}
        answer = await two_instances[writer // 2 % 2].post("/sequence/version", json=version)
        result: int = answer.json()["versionNumber"]
        return result

    result = await asyncio.gather(*(record(writer) for writer in range(WRITERS)))
    assert Counter(result) == dict.fromkeys(range(2, 2 + WRITERS // 2), 2)


class Model:
    """What the numbers should be: a dictionary, and the same refusals in the simplest words."""

    def __init__(self) -> None:
        self.numbers: dict[tuple[str, int], int] = {}

    def number(self, kind: str, identifier: int) -> int:
        """Return the number of a pair, a new one when it has none."""
        return self.numbers.setdefault((kind, identifier), len(self.numbers) + 1)

    def reorder(self, kind: str, moves: list[tuple[int, int]]) -> bool:
        """Move the elements; return whether that could be."""
        after = dict(self.numbers)
        for identifier, new in moves:
            if (kind, identifier) not in after:
                return False
            after[kind, identifier] = new
        listed = [identifier for identifier, _ in moves]
        whole = sorted(after.values()) == list(range(1, len(after) + 1))
        if len(set(listed)) < len(listed) or not whole:
            return False
        self.numbers = after
        return True


def random_moves(rng: random.Random, model: Model, kind: str) -> list[tuple[int, int]]:
    """Return an order, a good one in two of three cases."""
    current = {item: number for (of, item), number in model.numbers.items() if of == kind}
    listed = rng.sample(sorted(current), k=rng.randint(0, len(current)))
    numbers = [current[item] for item in listed]
    rng.shuffle(numbers)
    moves = list(zip(listed, numbers, strict=True))
    if rng.random() < 1 / 3:
        wrong = rng.choice(
            [
                (rng.randint(-1, 60), rng.randint(-1, 60)),
                (rng.choice(listed), 1) if listed else (99, 1),
                (99, rng.choice(numbers)) if numbers else (99, 1),
            ]
        )
        moves.insert(rng.randint(0, len(moves)), wrong)
    return moves


async def test_a_thousand_reorders_hold_against_a_model(open_database: OpenDatabase) -> None:
    """After each of 1,000 random orders, good and refused, every number is the model's."""
    rng = random.Random(20261121)
    model = Model()
    refusals = 0
    async with open_database("central-sequence") as database:
        for turn in range(REORDERS):
            if turn % 25 == 0:
                kind, identifier = rng.choice(KINDS), rng.randint(0, 50)
                assert await service.number(database, kind, identifier) == model.number(
                    kind, identifier
                )
            kind = rng.choice(KINDS)
            moves = random_moves(rng, model, kind)
            agreed = model.reorder(kind, moves)
            assert await reordered(database, kind, moves) == agreed, moves
            refusals += not agreed
            assert await all_numbers(database) == model.numbers
    assert REORDERS / 5 < refusals < REORDERS / 2


async def reordered(database: Database, kind: str, moves: list[tuple[int, int]]) -> bool:
    """Ask the service for an order; return whether it agreed."""
    elements = [Element(element_id=item, new_sequence=new) for item, new in moves]
    try:
        async with database.write() as session:
            await service.reorder(session, kind, elements)
    except ReorderRefused:
        return False
    return True


async def all_numbers(database: Database) -> dict[tuple[str, int], int]:
    """Return every number that the service has given out to the test's elements."""
    result: dict[tuple[str, int], int] = {}
    for kind in KINDS:
        numbers_held = await service.numbers(database.read(), kind, range(-1, 61))
        result |= {(kind, item): number for item, number in numbers_held.items()}
    return result
