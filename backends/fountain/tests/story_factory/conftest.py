"""Fixtures of the Story Factory: plays, created through the services or stored directly."""

from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Any

import pytest
from sqlalchemy import Table, insert

from bedplate import clock
from bedplate.database import Database
from bedplate.testing.client import Client
from fountain.characters.models import Action, Character, SpokenWord
from fountain.scripts.models import Script, ScriptElement, SectionHeading
from fountain.session_context.models import Session

Services = Mapping[str, Client]
Made = Callable[..., Awaitable[Any]]
StorePlay = Callable[[int], Awaitable[None]]
OpenDatabase = Callable[[str], AbstractAsyncContextManager[Database]]

BALCONY = "Juliet comes out on the balcony by night."
WHEREFORE = "O Romeo, Romeo! wherefore art thou Romeo?"


@pytest.fixture
def create(services: Services) -> Made:
    """Give what creates something at a service and returns the answer's JSON."""

    async def create(service: str, path: str, **fields: object) -> Any:
        answer = await services[service].post(path, json=fields)
        assert answer.status_code in {200, 201}, answer.text
        return answer.json()

    return create


@pytest.fixture
async def play(create: Made) -> int:
    """Give the id of a script with two headings and three elements, the last of it bare."""
    script = await create("scripts", "/scripts", title="Romeo and Juliet", author="Shakespeare")
    place = f"/scripts/{script['scriptId']}"
    first = await create("scripts", f"{place}/sections", title="Act 1, Scene 1")
    second = await create("scripts", f"{place}/sections", title="Act 2, Scene 2")
    juliet = await create("characters", "/characters", name="Juliet", description="A Capulet.")
    romeo = await create("characters", "/characters", name="Romeo", description="A Montague.")
    comes = await create("characters", "/actions", description=BALCONY)
    says = await create("characters", "/spokenWords", text=WHEREFORE)
    mood = await create("session-context", "/sessions", userId=7, context='{"mood": "longing"}')
    await create(
        "scripts",
        f"{place}/elements",
        headingId=first["headingId"],
        characterId=juliet["characterId"],
        actionId=comes["actionId"],
        spokenWordId=says["dialogueId"],
        contextId=mood["sessionId"],
    )
    element = {"headingId": second["headingId"], "characterId": romeo["characterId"]}
    await create("scripts", f"{place}/elements", **element)
    await create("scripts", f"{place}/elements")
    result: int = script["scriptId"]
    return result


@pytest.fixture
def store_play(open_database: OpenDatabase) -> StorePlay:
    """Give what stores the script 1 with so many elements, each naming its own things.

    It writes into the databases, which is as good as placing them one by one and much faster.
    """

    async def store(service: str, model: Any, rows: list[dict[str, Any]]) -> None:
        table: Table = model.__table__
        async with open_database(service) as database, database.engine.begin() as connection:
            await connection.execute(insert(table), rows)

    async def store_play(size: int) -> None:
        now, numbers = clock.now(), range(1, size + 1)
        script = {"id": 1, "title": "Long", "sequence_number": 1, "created_at": now}
        heading = {"id": 1, "script_id": 1, "title": "Act", "sequence_number": 2}
        await store("scripts", Script, [{**script, "element_count": size}])
        await store("scripts", SectionHeading, [{**heading, "created_at": now}])
        await store("scripts", ScriptElement, [_element(number) for number in numbers])
        await store("characters", Character, [_named(number, name="N") for number in numbers])
        await store("characters", Action, [_named(number) for number in numbers])
        await store("characters", SpokenWord, [{"id": n, "text": f"Word {n}"} for n in numbers])
        session = {"user_id": 1, "context": "quiet", "created_at": now}
        rows = [{"id": number, "sequence_number": number, **session} for number in numbers]
        await store("session-context", Session, rows)

    return store_play


def _element(number: int) -> dict[str, Any]:
    parts = ("character_id", "action_id", "spoken_word_id", "context_id")
    named = dict.fromkeys(parts, number)
    return {"id": number, "script_id": 1, "position": number, "heading_id": 1, **named}


def _named(number: int, **more: str) -> dict[str, Any]:
    return {"id": number, "description": f"D {number}", **more}
