"""How long a play of n elements takes to become a story: five services, one process, SQLite.

Every element names an action, a spoken word and a session of its own; thirty characters share
them. The rows are written into the databases; what is measured is asked over ASGI.
"""

import asyncio
import gc
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import uvloop
from prometheus_client import CollectorRegistry
from pydantic import SecretStr
from sqlalchemy import Table, insert
from starlette.types import ASGIApp

from bedplate import clock
from bedplate.backend import Backend
from bedplate.collector import collect_rarely, spare_what_is_there
from bedplate.composition import compose
from bedplate.database import Database
from bedplate.settings import DatabaseSettings, Environment
from benchmarks.client import AsgiClient
from benchmarks.contender import HttpRequest
from fountain.central_sequence.backend import backend as central_sequence
from fountain.characters.backend import backend as characters
from fountain.characters.models import Action, Character, SpokenWord
from fountain.scripts.backend import backend as scripts
from fountain.scripts.models import Script, ScriptElement, SectionHeading
from fountain.session_context.backend import backend as session_context
from fountain.session_context.models import Session
from fountain.story_factory.backend import backend as story_factory

BACKENDS = (central_sequence, characters, scripts, session_context, story_factory)
SIZES = (300, 1_000, 3_000, 10_000)
STORY = "/story-factory/stories"
FILES = ("sound.csd", "sheet.ly", "music.mid")
_CAST = 30
_SCENE = 100
_WORDS = "O Romeo, Romeo! wherefore art thou Romeo? Deny thy father and refuse thy name;"


@dataclass(frozen=True)
class Telling:
    """What one size of a play took: calls between services, bytes, and the best round's seconds.

    CPU time is the whole process's: of all five services and of SQLite. `uncollected` is that
    without Python's garbage collector, whose share grows with all that there is in the process.
    """

    calls: int
    size: int
    cpu: float
    uncollected: float
    wall: float
    files: dict[str, float]


def measure_stories(sizes: Sequence[int], rounds: int) -> dict[int, Telling]:
    """Store a play of each size, and measure its story and its files `rounds` times."""
    return {size: _measured(size, rounds) for size in sizes}


def _measured(size: int, rounds: int) -> Telling:
    with (
        tempfile.TemporaryDirectory() as folder,
        asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner,
    ):
        return runner.run(_tell(Path(folder), size, rounds))


async def _tell(folder: Path, size: int, rounds: int) -> Telling:
    collect_rarely()  # as the server does
    registry = CollectorRegistry()
    settings = {backend.name: _settings(backend, folder) for backend in BACKENDS}
    app: ASGIApp = compose(BACKENDS, settings, registry=registry)
    async with AsgiClient(app) as client:
        await _store(settings, size)
        story = HttpRequest("GET", STORY, query="scriptId=1")
        before = _answered(registry)
        answer = await client.send(story)
        calls = _answered(registry) - before
        spare_what_is_there()
        cpu, wall = await _best(client, story, rounds)
        with _no_collector():
            uncollected, _ = await _best(client, story, rounds)
        files = {}
        for name in FILES:
            request = HttpRequest("GET", f"/story-factory/files/1/{name}")
            files[name], _ = await _best(client, request, 1 + rounds // 4)
        return Telling(calls, len(answer.body), cpu, uncollected, wall, files)


@contextmanager
def _no_collector() -> Iterator[None]:
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def _settings(backend: Backend, folder: Path) -> Any:
    fields: dict[str, Any] = {"environment": Environment.TEST}
    if backend.metadata is not None:
        fields["database_url"] = SecretStr(f"sqlite:///{folder}/{backend.name}.sqlite3")
    return backend.settings(_env_file=None, **fields)


async def _best(client: AsgiClient, request: HttpRequest, rounds: int) -> tuple[float, float]:
    """Return the least seconds of CPU, and the least by the clock, of several requests."""
    cpu, wall = [], []
    for _ in range(rounds):
        gc.collect()
        cpu_start, start = time.process_time(), time.perf_counter()
        answer = await client.send(request)
        cpu.append(time.process_time() - cpu_start)
        wall.append(time.perf_counter() - start)
        if answer.status != 200:
            raise RuntimeError(f"{request} got {answer.status}: {answer.body[:500]!r}")
    return min(cpu), min(wall)


def _answered(registry: CollectorRegistry) -> int:
    """Return how many requests the services have answered but for the Story Factory."""
    return sum(
        int(sample.value)
        for metric in registry.collect()
        for sample in metric.samples
        if sample.name == "http_server_request_duration_seconds_count"
        and sample.labels["backend"] not in {story_factory.name, "bedplate"}
    )


async def _store(settings: dict[str, Any], size: int) -> None:
    now = clock.now()
    numbers = range(1, size + 1)
    words = _WORDS.split()
    stored = {"created_at": now, "sequence_number": 1}
    headings = [{"id": n, "script_id": 1, "title": f"Scene {n}"} for n in range(1, size // 100 + 2)]
    rows: dict[tuple[str, Any], list[dict[str, Any]]] = {
        (scripts.name, Script): [{"id": 1, "title": "Play", "element_count": size, **stored}],
        (scripts.name, SectionHeading): [{**heading, **stored} for heading in headings],
        (scripts.name, ScriptElement): [_element(number) for number in numbers],
        (characters.name, Character): [
            {"id": n, "name": f"Character {n}", "description": "Of the cast."}
            for n in range(1, _CAST + 1)
        ],
        (characters.name, Action): [{"id": n, "description": f"Happens {n}."} for n in numbers],
        (characters.name, SpokenWord): [
            {"id": n, "text": " ".join(words[: 1 + n % len(words)])} for n in numbers
        ],
        (session_context.name, Session): [
            {"id": n, "user_id": 1, "context": f'{{"scene": "{n}"}}', **stored} for n in numbers
        ],
    }
    for (service, model), some in rows.items():
        await _insert(settings[service], model, some)


def _element(number: int) -> dict[str, Any]:
    named = dict.fromkeys(("action_id", "spoken_word_id", "context_id"), number)
    heading, character = 1 + (number - 1) // _SCENE, 1 + number % _CAST
    whose = {"script_id": 1, "heading_id": heading, "character_id": character}
    return {"id": number, "position": number, **whose, **named}


async def _insert(settings: DatabaseSettings, model: Any, rows: list[dict[str, Any]]) -> None:
    table: Table = model.__table__
    async with Database.open(settings) as database, database.engine.begin() as connection:
        await connection.execute(insert(table), rows)
