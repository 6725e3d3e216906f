"""The other services down, slow or invalid: bounded 503s, and recovery without a restart."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from bedplate import clock
from bedplate.application import create_app
from bedplate.settings import Environment
from bedplate.testing.client import Client, client
from bedplate.testing.processes import free_port
from fountain.story_factory import sources
from fountain.story_factory.backend import backend
from fountain.story_factory.settings import StoryFactorySettings
from fountain.story_factory.upstream import Element

URLS = ("scripts_url", "characters_url", "sessions_url")
PATHS = ("/stories?scriptId=1", "/files/1/sound.csd", "/files/1/sheet.ly", "/files/1/music.mid")
ELEMENT = {"position": 1, "characterId": 1, "actionId": 1, "spokenWordId": 1, "contextId": 1}
ANSWERS: dict[str, Any] = {
    "/scripts/1/structure": {
        "script": {"scriptId": 1},
        "sections": [],
        "elements": [ELEMENT],
    },
    "/scripts/1/elements": [ELEMENT],
    "/characters/lookup": [{"characterId": 1, "name": "Juliet"}],
    "/actions/lookup": [{"actionId": 1}],
    "/spokenWords/lookup": [{"dialogueId": 1, "text": "Ay me!"}],
    "/sessions/lookup": [{"sessionId": 1}],
}


@asynccontextmanager
async def answering(
    answers: Mapping[str, Any], port: int, *, status: int = 200
) -> AsyncIterator[None]:
    """Run an HTTP server that answers paths with JSON, whatever it is asked."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
        except asyncio.IncompleteReadError:  # the service gave up before it had asked
            writer.close()
            return
        path = head.split()[1].partition(b"?")[0].decode()
        content = json.dumps(answers[path]).encode()
        start = f"HTTP/1.1 {status} X\r\nContent-Length: {len(content)}\r\nConnection: close"
        writer.write(f"{start}\r\n\r\n".encode() + content)
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", port):
        yield


@asynccontextmanager
async def silent(port: int) -> AsyncIterator[None]:
    """Run a server that takes every connection, and says nothing until it is closed."""
    ended = asyncio.Event()

    async def serve(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await ended.wait()
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", port):
        yield
        ended.set()


@asynccontextmanager
async def factory(ports: Mapping[str, int], **changes: Any) -> AsyncIterator[Client]:
    """Run the Story Factory with the other services at these ports."""
    urls = {name: f"http://127.0.0.1:{port}" for name, port in ports.items()}
    fields = {"client_timeout_seconds": 0.3, "client_attempts": 2, **urls, **changes}
    settings = StoryFactorySettings(_env_file=None, environment=Environment.TEST, **fields)
    async with client(create_app(backend, settings, registry=CollectorRegistry())) as api:
        yield api


@pytest.fixture
def ports() -> dict[str, int]:
    """Give a port for each of the other services; nobody listens there yet."""
    return {name: free_port() for name in URLS}


async def test_objects_of_a_long_play_are_looked_up_in_parts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A lookup has a limit; what is beyond it isn't left out of the story."""
    asked = []

    class Lookup:
        name = "characters"

        async def post(
            self, path: str, body: dict[str, list[int]], *, repeatable: bool
        ) -> list[dict[str, Any]]:
            asked.append((path, body["ids"]))
            return [{"actionId": at} for at in body["ids"]]

    monkeypatch.setattr(sources, "MAX_IDS_PER_CALL", 2)
    service: Any = Lookup()
    elements = [Element.model_validate({"position": at, "actionId": at}) for at in (1, 2, 3, 4, 5)]
    found = await sources.Sources(service, service, service).objects(elements)
    assert sorted(found.actions) == [1, 2, 3, 4, 5]
    assert sorted(asked) == [("/actions/lookup", ids) for ids in ([1, 2], [3, 4], [5])]


@pytest.mark.parametrize("away", URLS)
async def test_one_is_away(ports: dict[str, int], away: str) -> None:
    """Without one of the others a story is a 503 that says when to come back; later it is there."""
    port = free_port()
    async with (
        factory({**dict.fromkeys(URLS, port), away: ports[away]}) as api,
        answering(ANSWERS, port),
    ):
        with api.expecting(503):
            answer = await api.get("/stories", params={"scriptId": 1})
        assert answer.status_code == 503
        assert int(answer.headers["retry-after"]) >= 1
        assert answer.json().keys() == {"message"}
        async with answering(ANSWERS, ports[away]):
            answer = await api.get("/stories", params={"scriptId": 1})
    assert answer.status_code == 200
    (element,) = answer.json()["story"]
    assert element == {
        "sequence": 1,
        "character": {"characterId": 1, "name": "Juliet"},
        "action": {"actionId": 1},
        "spokenWord": {"dialogueId": 1, "text": "Ay me!", "sequence": 1},
        "context": {"contextId": 1, "characterId": 1},
    }


@pytest.mark.parametrize("slow", URLS)
async def test_one_is_slow(ports: dict[str, int], slow: str) -> None:
    """A service that never answers is given up after its attempts, and the answer is a 503."""
    port = free_port()
    async with (
        factory({**dict.fromkeys(URLS, port), slow: ports[slow]}) as api,
        answering(ANSWERS, port),
        silent(ports[slow]),
    ):
        start = clock.monotonic()
        with api.expecting(503):
            answer = await api.get("/stories", params={"scriptId": 1})
        assert answer.status_code == 503
        # Two attempts of 0.3 seconds and a pause; a loaded machine may take a while longer.
        assert clock.monotonic() - start < 15


@pytest.mark.parametrize("path", PATHS)
async def test_files_need_no_sessions(ports: dict[str, int], path: str) -> None:
    """Music needs no contexts, so only a story fails without the service that stores them."""
    port = free_port()
    at = {**dict.fromkeys(URLS, port), "sessions_url": ports["sessions_url"]}
    async with factory(at) as api, answering(ANSWERS, port):
        with api.expecting(503):
            status = (await api.get(path)).status_code
    assert status == (503 if path.startswith("/stories") else 200)


@pytest.mark.parametrize(
    ("path", "answer"),
    [
        ("/scripts/1/structure", {}),
        ("/scripts/1/structure", {"script": {"scriptId": "1"}, "sections": [], "elements": []}),
        ("/scripts/1/structure", None),
        ("/characters/lookup", {"characters": []}),
        ("/actions/lookup", [{"actionId": True}]),
        ("/spokenWords/lookup", [{"dialogueId": 1, "text": None}]),
        ("/sessions/lookup", [{}]),
        ("/sessions/lookup", "nonsense"),
    ],
)
async def test_nonsense(path: str, answer: Any) -> None:
    """An answer that breaks the contract is a 503, never a 500, and never part of a story."""
    port = free_port()
    async with (
        factory(dict.fromkeys(URLS, port)) as api,
        answering({**ANSWERS, path: answer}, port),
    ):
        with api.expecting(503):
            refused = await api.get("/stories", params={"scriptId": 1})
    assert refused.status_code == 503
    assert "retry-after" in refused.headers


@pytest.mark.parametrize("status", [400, 401, 403, 429, 500, 502, 503])
async def test_refusals(status: int) -> None:
    """Only a 404 means that there is no such script; any other refusal is a 503."""
    port = free_port()
    async with factory(dict.fromkeys(URLS, port)) as api:
        async with answering({"/scripts/1/structure": {}}, port, status=status):
            with api.expecting(503):
                assert (await api.get("/stories?scriptId=1")).status_code == 503
        async with answering({"/scripts/1/structure": {}}, port, status=404):
            assert (await api.get("/stories?scriptId=1")).status_code == 404
