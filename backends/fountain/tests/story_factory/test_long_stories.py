"""Long stories: the same bytes as with validated models, in parts between which others run."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from typing import Any

from pydantic import TypeAdapter

from bedplate.testing.client import Client
from fountain.characters.schemas import Action, Character, SpokenWord
from fountain.common.chunks import CHUNK_SIZE
from fountain.scripts import repository
from fountain.scripts.repository import PARTS as PARTS_OF_ELEMENT
from fountain.scripts.router import structure_json
from fountain.scripts.schemas import ScriptElement, ScriptStructure
from fountain.session_context.schemas import Session
from fountain.story_factory import assembly
from fountain.story_factory.assembly import Objects
from fountain.story_factory.schemas import FullStory, Orchestration, StorySequence
from fountain.story_factory.upstream import Element, Script, Structure, parse_list

Services = Mapping[str, Client]
Made = Callable[..., Awaitable[Any]]


def written_by(model: Any, body: bytes) -> bytes:
    """Return the body as Pydantic writes it when each member was validated."""
    adapter = TypeAdapter(model)
    return adapter.dump_json(adapter.validate_json(body), by_alias=True)


async def test_a_story_has_the_bytes_of_its_model(services: Services, play: int) -> None:
    """Names, order and omissions are those of the contract, whole and in part."""
    story = await services["story-factory"].get(f"/stories?scriptId={play}")
    assert story.status_code == 200
    assert story.headers["content-type"] == "application/json"
    assert len(story.json()["story"]) == 3
    assert written_by(FullStory, story.content) == story.content
    query = f"scriptId={play}&startSequence=1&endSequence=2"
    part = await services["story-factory"].get(f"/stories/sequences?{query}")
    assert len(part.json()["sequences"]) == 2
    assert written_by(StorySequence, part.content) == part.content


async def test_what_a_story_is_made_of_has_the_bytes_of_its_models(
    services: Services, create: Made, play: int
) -> None:
    """Also for text that JSON escapes, and for members that are missing."""
    text = 'A "quote", a \\ and \x01\x7f\u2028é𝄞'
    action = await create("characters", "/actions", description=text)
    session = await create("session-context", "/sessions", userId=7)
    structure = await services["scripts"].get(f"/scripts/{play}/structure")
    assert written_by(ScriptStructure, structure.content) == structure.content
    elements = await services["scripts"].get(f"/scripts/{play}/elements")
    assert written_by(list[ScriptElement], elements.content) == elements.content
    lists: dict[tuple[str, str], tuple[Any, list[int]]] = {
        ("characters", "characters"): (list[Character], [1, 2]),
        ("characters", "actions"): (list[Action], [1, action["actionId"]]),
        ("characters", "spokenWords"): (list[SpokenWord], [1]),
        ("session-context", "sessions"): (list[Session], [1, session["sessionId"]]),
    }
    for (service, kind), (model, ids) in lists.items():
        answer = await services[service].post(f"/{kind}/lookup", json={"ids": ids})
        assert len(answer.json()) == len(ids)
        assert written_by(model, answer.content) == answer.content


async def turns_of_others(work: Coroutine[Any, Any, object]) -> int:
    """Return how often another task ran while this work, which waits for nothing, was done."""
    turns = 0

    async def count() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    counting = asyncio.create_task(count())
    await work
    counting.cancel()
    return turns


PARTS = 20
NUMBERS = range(1, PARTS * CHUNK_SIZE + 1)


async def test_others_run_while_a_story_is_joined() -> None:
    """Another task runs after each part, when the elements and their objects are at hand."""
    structure = Structure(
        script=Script(scriptId=1),
        sections=[],
        elements=[Element(position=n, characterId=n) for n in NUMBERS],
    )
    objects = Objects(characters={n: {"characterId": n} for n in NUMBERS})
    story = assembly.full_story(structure, objects, Orchestration())
    assert await turns_of_others(story) >= PARTS - 1
    part = assembly.story_sequence(1, structure.elements, objects)
    assert await turns_of_others(part) >= PARTS - 1


async def test_others_run_while_answers_are_read() -> None:
    """The same holds for parsing what the services answer."""
    answer = [{"position": n} for n in NUMBERS]
    parsing = parse_list(TypeAdapter(list[Element]), answer, "scripts")
    assert await turns_of_others(parsing) >= PARTS - 1


async def test_others_run_while_a_structure_is_written() -> None:
    """And for the structure of a script."""
    empty = dict.fromkeys(("title", "author", "description", "sequence_number", *PARTS_OF_ELEMENT))
    rows = [{"id": n, "script_id": 1, "position": n, **empty} for n in NUMBERS]
    structure = repository.Structure({"id": 1, **empty}, [], rows)
    assert await turns_of_others(structure_json(structure)) >= PARTS - 1
