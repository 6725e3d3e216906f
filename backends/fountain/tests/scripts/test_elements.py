"""Elements in a script: places from 1, dense, without gaps, whatever is placed and moved."""

import asyncio
import random
from typing import Any

import pytest

from bedplate.testing.client import Client

HAMLET = {"title": "Hamlet"}


@pytest.fixture
async def script(scripts_api: Client) -> Client:
    """Give a client of a service that has the script 1 with the heading 1."""
    await scripts_api.post("/scripts", json=HAMLET)
    await scripts_api.post("/scripts/1/sections", json={"title": "Act 1"})
    return scripts_api


async def placed(api: Client, **fields: Any) -> Any:
    """Place an element and return the answer's JSON."""
    answer = await api.post("/scripts/1/elements", json=fields)
    assert answer.status_code == 201, answer.text
    return answer.json()


async def order(api: Client) -> list[int]:
    """Return the identifiers of the elements in order, and see that their places are dense."""
    listed = (await api.get("/scripts/1/elements")).json()
    assert [item["position"] for item in listed] == list(range(1, len(listed) + 1))
    return [item["elementId"] for item in listed]


async def test_an_element_comes_last(script: Client) -> None:
    """Without a position an element comes last; the answer has what was sent, and no more."""
    everything = {
        "headingId": 1,
        "characterId": 2,
        "actionId": 3,
        "spokenWordId": 4,
        "contextId": 2**63 - 1,
    }
    first = {"elementId": 1, "scriptId": 1, "position": 1, **everything}
    assert await placed(script, **everything) == first
    second = {"elementId": 2, "scriptId": 1, "position": 2}
    assert await placed(script) == second
    assert (await script.get("/scripts/1/elements")).json() == [first, second]
    assert (await script.get("/scripts/1/elements/1")).json() == first


async def test_an_element_is_placed_before_others(script: Client) -> None:
    """The elements from its place on move up by one."""
    for position in (1, 1, 2, 4, 3):
        assert (await placed(script, position=position))["position"] == position
    assert await order(script) == [2, 3, 5, 1, 4]


async def test_a_place_that_is_none_is_refused(script: Client) -> None:
    """A place that would leave a gap, or is before the first, is a 400 and changes nothing."""
    await placed(script)
    for position in (0, -1, 3, 2**63 - 1, -(2**63)):
        answer = await script.post("/scripts/1/elements", json={"position": position})
        assert answer.status_code == 400
        assert answer.json()["message"].startswith("position: ")
    assert await order(script) == [1]
    assert (await placed(script))["position"] == 2


async def test_elements_between_two_places_are_listed(script: Client) -> None:
    """Both ends are included; an empty stretch is an empty list."""
    for _ in range(5):
        await placed(script)

    async def between(**query: int) -> list[int]:
        listed = (await script.get("/scripts/1/elements", params=query)).json()
        return [item["position"] for item in listed]

    assert await between(**{"from": 2, "to": 4}) == [2, 3, 4]
    assert await between(**{"from": 4}) == [4, 5]
    assert await between(to=2) == [1, 2]
    assert await between(**{"from": 4, "to": 2}) == []
    assert await between(**{"from": -(2**63), "to": 2**63 - 1}) == [1, 2, 3, 4, 5]


async def test_elements_are_put_in_another_order(script: Client) -> None:
    """The order sent is the order listed, and the answer says so."""
    for _ in range(4):
        await placed(script)
    answer = await script.post("/scripts/1/elements/reorder", json={"elementIds": [3, 1, 4, 2]})
    assert (answer.status_code, answer.json()) == (200, {"message": "Reorder successful."})
    assert await order(script) == [3, 1, 4, 2]


async def test_an_order_that_is_none_is_refused(script: Client) -> None:
    """Every element must be listed once, and no other; else it is a 400 and nothing changes."""
    await script.post("/scripts", json=HAMLET)
    await script.post("/scripts/2/elements", json={})
    for _ in range(3):
        await placed(script)
    for ids in ([2, 3], [2, 3, 3], [2, 3, 4, 4], [1, 2, 3, 4], [2, 3, 2**70], []):
        answer = await script.post("/scripts/1/elements/reorder", json={"elementIds": ids})
        assert (ids, answer.status_code) == (ids, 400)
    assert await order(script) == [2, 3, 4]


async def test_many_moves_agree_with_a_model(script: Client) -> None:
    """Placing and reordering at random does to a script what it does to a list."""
    chance = random.Random(7)
    model: list[int] = []
    for _ in range(60):
        if model and chance.random() < 0.3:
            chance.shuffle(model)
            await script.post("/scripts/1/elements/reorder", json={"elementIds": model})
        else:
            position = chance.randint(1, len(model) + 1)
            model.insert(position - 1, (await placed(script, position=position))["elementId"])
    assert await order(script) == model


async def test_concurrent_placings_leave_no_gap(script: Client) -> None:
    """Thirty-two clients that place and reorder at once end with dense places."""

    async def work(number: int) -> None:
        for turn in range(4):
            if (number + turn) % 4:
                await placed(script, **({"position": 1} if number % 2 else {}))
            else:
                listed = (await script.get("/scripts/1/elements")).json()
                ids = [item["elementId"] for item in listed]
                assert sorted(item["position"] for item in listed) == list(range(1, len(ids) + 1))
                await script.post("/scripts/1/elements/reorder", json={"elementIds": ids[::-1]})

    async with asyncio.TaskGroup() as group:
        for number in range(32):
            group.create_task(work(number))
    assert len(await order(script)) == 96


async def test_a_structure_is_of_one_moment(script: Client) -> None:
    """While elements are placed and moved, every structure read has dense places."""
    async with asyncio.TaskGroup() as group:

        async def move() -> None:
            for _ in range(15):
                await placed(script, position=1)
                ids = (await order(script))[::-1]
                await script.post("/scripts/1/elements/reorder", json={"elementIds": ids})

        moving = group.create_task(move())
        while not moving.done():
            structure = (await script.get("/scripts/1/structure")).json()
            positions = [item["position"] for item in structure["elements"]]
            assert positions == list(range(1, len(positions) + 1))
            assert len({item["elementId"] for item in structure["elements"]}) == len(positions)
