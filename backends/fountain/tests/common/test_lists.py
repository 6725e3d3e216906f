"""Lists without a limit come whole, in order, in parts."""

import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Any

import pytest
from sqlalchemy import insert
from starlette.responses import StreamingResponse

from bedplate import clock
from bedplate.database import Database, DatabaseUnavailable, Row, Statement
from bedplate.testing.client import Client
from fountain.characters import repository
from fountain.characters.repository import CHARACTERS
from fountain.characters.schemas import Character
from fountain.common.repository import PART_SIZE, read_parts
from fountain.common.router import json_array
from fountain.scripts.models import Script
from fountain.scripts.repository import LIST_SCRIPTS
from fountain.session_context.models import Session
from fountain.session_context.repository import LIST

OpenDatabase = Callable[[str], AbstractAsyncContextManager[Database]]
Services = Mapping[str, Client]
OpenServices = Callable[..., AbstractAsyncContextManager[Services]]


@pytest.mark.parametrize("count", [0, 1, PART_SIZE - 1, PART_SIZE, PART_SIZE + 1, 2 * PART_SIZE])
async def test_a_list_is_whole(
    count: int, open_services: OpenServices, open_database: OpenDatabase
) -> None:
    """However many there are, each is listed once, and no part is larger than it may be."""
    async with open_database("characters") as database:
        async with database.write() as session:
            for number in range(count):
                await repository.add(session, CHARACTERS, name=f"{number}", description="")
        parts = [p async for p in read_parts(database.read(), CHARACTERS.list)]
    assert [len(part) for part in parts] == [*[PART_SIZE] * (count // PART_SIZE), count % PART_SIZE]
    async with open_services("characters") as services:
        answer = await services["characters"].get("/characters")
    assert answer.headers["content-type"] == "application/json"
    assert [item["name"] for item in answer.json()] == [str(number) for number in range(count)]


NUMBERED = {
    "scripts": (Script, {"title": "T"}, LIST_SCRIPTS, "/scripts", "scriptId"),
    "session-context": (Session, {"user_id": 1}, LIST, "/sessions", "sessionId"),
}


@pytest.mark.parametrize(("name", "listing"), NUMBERED.items(), ids=list(NUMBERED))
async def test_what_is_numbered_is_listed_read_parts(
    name: str,
    listing: tuple[Any, dict[str, object], Statement, str, str],
    open_services: OpenServices,
    open_database: OpenDatabase,
) -> None:
    """Scripts and sessions come in parts too, in order, without the invisible ones."""
    model, fields, statement, path, identifier = listing
    ids = list(range(1, PART_SIZE + 3))
    rows = [{"id": n, "sequence_number": n, "created_at": clock.now(), **fields} for n in ids]
    rows[1]["sequence_number"] = None
    ids.remove(2)
    async with open_database(name) as database:
        async with database.engine.begin() as connection:
            await connection.execute(insert(model), rows)
        parts = [part async for part in read_parts(database.read(), statement)]
    assert [len(part) for part in parts] == [PART_SIZE, 1]
    async with open_services("central-sequence", name) as services:
        answer = await services[name].get(path)
    assert [item[identifier] for item in answer.json()] == ids
    assert "content-length" not in answer.headers


async def interrupted(after: int) -> AsyncIterator[list[Row]]:
    """Yield so many parts, then fail as the database does."""
    for number in range(after):
        yield [{"id": number}]
    raise DatabaseUnavailable


async def test_an_outage_before_the_first_part_is_an_error() -> None:
    """Nothing has been sent then, so the client gets the error's own answer."""
    with pytest.raises(DatabaseUnavailable):
        await json_array(interrupted(0), lambda row: Character(character_id=row["id"]))


async def receive(response: StreamingResponse, received: bytearray) -> None:
    """Add to `sent` what a response sends, until it ends or fails."""
    async for chunk in response.body_iterator:
        assert isinstance(chunk, bytes)
        received.extend(chunk)


async def test_an_outage_amid_a_list_leaves_no_whole_array() -> None:
    """The part that was sent is not JSON that a client could take for the list."""
    response: object = await json_array(
        interrupted(2), lambda row: Character(character_id=row["id"])
    )
    assert isinstance(response, StreamingResponse)
    received = bytearray()
    with pytest.raises(DatabaseUnavailable):
        await receive(response, received)
    assert received == b'[{"characterId":0},{"characterId":1}'
    with pytest.raises(ValueError, match="Expecting"):
        json.loads(received)
