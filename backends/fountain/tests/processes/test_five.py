"""The five as five processes with only HTTP between them, and as one: the same answers."""

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from bedplate.testing.client import Client
from bedplate.testing.processes import free_port

SQLITE_FIRST = pytest.mark.parametrize(
    "url_of", ["sqlite", pytest.param("postgresql", marks=pytest.mark.soak)], indirect=True
)
"""PostgreSQL, too, in the long run: the same happens there, for twice the time."""

StartServices = Callable[..., Coroutine[Any, Any, Any]]
Connect = Callable[..., Client]

SERVICES = ("central-sequence", "characters", "scripts", "session-context", "story-factory")
# What is called first, and what it calls.
NEEDS = {
    "scripts": {"SCRIPTS_SEQUENCE_URL": "central-sequence"},
    "session-context": {"SESSION_CONTEXT_SEQUENCE_URL": "central-sequence"},
    "story-factory": {
        "STORY_FACTORY_SCRIPTS_URL": "scripts",
        "STORY_FACTORY_CHARACTERS_URL": "characters",
        "STORY_FACTORY_SESSIONS_URL": "session-context",
    },
}
BALCONY = {"characterId": 1, "actionId": 1}
SPEECH = {"characterId": 1, "spokenWordId": 1, "contextId": 1}
FULL_STORY = "GET /stories?scriptId=1"
SEQUENCES = "/stories/sequences?scriptId=1"
TAKEN = [{"headingId": 1, "newSequence": 1}]
EXCHANGE = [{"headingId": 1, "newSequence": 3}, {"headingId": 2, "newSequence": 2}]
# One after another: service, method, path, body, status of the answer.
CALLS: list[tuple[str, str, str, Any, int]] = [
    ("scripts", "POST", "/scripts", {"title": "Romeo and Juliet", "author": "Shakespeare"}, 201),
    ("scripts", "POST", "/scripts/1/sections", {"title": "Act 1, Scene 1"}, 201),
    ("scripts", "POST", "/scripts/1/sections", {"title": "Act 2, Scene 2"}, 201),
    ("characters", "POST", "/characters", {"name": "Juliet", "description": "A Capulet."}, 201),
    ("characters", "POST", "/actions", {"description": "She comes out on the balcony."}, 201),
    ("characters", "POST", "/spokenWords", {"text": "O Romeo, Romeo!"}, 201),
    ("session-context", "POST", "/sessions", {"userId": 7, "context": '{"mood": "longing"}'}, 201),
    ("scripts", "POST", "/scripts/1/elements", {"headingId": 1, **BALCONY}, 201),
    ("scripts", "POST", "/scripts/1/elements", {"headingId": 2, **SPEECH, "position": 1}, 201),
    ("scripts", "POST", "/scripts/1/elements", {"position": 9}, 400),
    ("scripts", "GET", "/scripts/1/structure", None, 200),
    ("story-factory", "GET", "/stories?scriptId=1", None, 200),
    ("story-factory", "GET", f"{SEQUENCES}&startSequence=2&endSequence=2", None, 200),
    ("scripts", "POST", "/scripts/1/sections/reorder", {"elements": EXCHANGE}, 200),
    ("scripts", "POST", "/scripts/1/sections/reorder", {"elements": EXCHANGE[1:]}, 200),
    ("scripts", "POST", "/scripts/1/sections/reorder", {"elements": TAKEN}, 400),
    ("scripts", "POST", "/scripts/1/elements/reorder", {"elementIds": [1, 2]}, 200),
    ("scripts", "GET", "/scripts/1/sections", None, 200),
    ("scripts", "GET", "/scripts/1/elements", None, 200),
    ("central-sequence", "POST", "/sequence", {"elementType": "section", "elementId": 1}, 201),
    ("story-factory", "GET", "/stories?scriptId=1", None, 200),
    ("story-factory", "GET", "/stories?scriptId=9", None, 404),
    ("story-factory", "GET", f"{SEQUENCES}&startSequence=5&endSequence=2", None, 404),
    ("scripts", "GET", "/scripts/9", None, 404),
    ("session-context", "PUT", "/sessions/9", {}, 404),
    ("scripts", "POST", "/scripts", {"title": None}, 400),
    ("session-context", "GET", "/sessions", None, 200),
]

Answers = list[tuple[str, int, Any]]


async def answers(clients: dict[str, Client]) -> Answers:
    """Make every call in turn; return path, status and JSON of the answers."""
    result = []
    async with AsyncExitStack() as stack:
        for client in clients.values():
            await stack.enter_async_context(client)
        for service, method, path, body, status in CALLS:
            answer = await clients[service].request(method, path, json=body)
            assert (path, answer.status_code) == (path, status), answer.text
            result.append((f"{method} {path}", answer.status_code, answer.json()))
    return result


async def of_five(start_services: StartServices, connect: Connect) -> Answers:
    """Start each service as a process of its own, all at once; return their answers."""
    ports = {name: free_port() for name in SERVICES}
    urls = {name: f"http://127.0.0.1:{port}" for name, port in ports.items()}
    async with asyncio.TaskGroup() as group:
        for name in SERVICES:
            needs = {variable: urls[other] for variable, other in NEEDS.get(name, {}).items()}
            group.create_task(start_services(name, port=ports[name], **needs))
    return await answers({name: connect(name, urls[name]) for name in SERVICES})


async def of_one(start_services: StartServices, connect: Connect, folder: Path) -> Answers:
    """Start one process of all five on new SQLite files; return its answers."""
    databases = {
        f"{name.replace('-', '_').upper()}_DATABASE_URL": f"sqlite:///{folder}/{name}.one.db"
        for name in SERVICES
    }
    running = await start_services(*SERVICES, **databases)
    clients = {
        name: connect(name, running.url, headers={"Host": f"{name}.localhost"}) for name in SERVICES
    }
    return await answers(clients)


@SQLITE_FIRST
async def test_five_processes_and_one_answer_the_same(
    start_services: StartServices, connect: Connect, tmp_path: Path
) -> None:
    """Every answer is the same, and the story is whole in both."""
    five = await of_five(start_services, connect)
    single = await of_one(start_services, connect, tmp_path)
    assert five == single
    first_story, reordered = (body for path, status, body in five if path == FULL_STORY)
    assert [element["sequence"] for element in first_story["story"]] == [1, 2]
    assert first_story["story"] != reordered["story"]
