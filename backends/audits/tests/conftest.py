"""What the tests of the audit trail stand on: a migrated database, the API, and what reads it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from prometheus_client import CollectorRegistry
from pydantic import SecretStr

from audits.backend import backend
from audits.settings import AuditsSettings
from audits.transparency.checkpoint import Checkpoint
from audits.transparency.note import Note
from audits.transparency.tiles import TILE_WIDTH, Tile
from bedplate.application import create_app
from bedplate.database import Database
from bedplate.database_state import migrations_of
from bedplate.settings import Environment
from bedplate.testing.client import Client, client
from bedplate.testing.databases import Migrate, migrate_by

MakeApp = Callable[..., FastAPI]
Record = Callable[..., Awaitable[dict[str, Any]]]
Signed = Callable[..., Awaitable[Note]]
Mirror = Callable[[Path], Awaitable[Path]]

AUDITS = "/api/v1/audits"
LOG = "/api/v1/log/default"


@pytest.fixture(scope="session")
def migrate_database() -> Migrate:
    """Give what brings an empty database to the schema of the trail."""
    return migrate_by(migrations_of(backend))


@pytest.fixture
def settings(database_url: str) -> AuditsSettings:
    """Give settings for the test's database and nothing else of this machine."""
    return AuditsSettings(
        _env_file=None,
        environment=Environment.TEST,
        database_url=SecretStr(database_url),
        database_auto_migrate=False,
    )


@pytest.fixture
def make_app(settings: AuditsSettings) -> MakeApp:
    """Give what makes the API with changed settings: `make_app(request_timeout_seconds=1)`."""

    def make_app(
        replacements: dict[str, object] | None = None,
        registry: CollectorRegistry | None = None,
        **changes: object,
    ) -> FastAPI:
        changed = settings.model_copy(update=changes)
        registry = registry or CollectorRegistry()
        return create_app(backend, changed, registry=registry, replacements=replacements)

    return make_app


@pytest.fixture
async def database(settings: AuditsSettings) -> AsyncIterator[Database]:
    """Give the test's own way to the database."""
    async with Database.open(settings) as opened:
        yield opened


@pytest.fixture
async def api(make_app: MakeApp) -> AsyncIterator[Client]:
    """Give a client of the running API that fails the test on any unannounced 5xx."""
    async with client(make_app()) as opened:
        yield opened


@pytest.fixture
async def record(api: Client) -> Record:
    """Give what records an event with some fields, and returns it."""

    async def record(**fields: object) -> dict[str, Any]:
        body = {"action_type": "create", "entity_type": "invoice", **fields}
        response = await api.post(AUDITS, json=body)
        assert response.status_code == 201, response.text
        made: dict[str, Any] = response.json()
        return made

    return record


@pytest.fixture
async def signed(api: Client) -> Signed:
    """Give what waits for the checkpoint of a size (or larger) and returns its note."""

    async def signed(size: int, log: str = LOG) -> Note:
        for _ in range(200):
            response = await api.get(f"{log}/checkpoint")
            if response.status_code == 200:
                note = Note.parse(response.content)
                if Checkpoint.parse(note.text).size >= size:
                    return note
            await asyncio.sleep(0.05)
        raise AssertionError(f"no checkpoint of {size} entries within ten seconds")

    return signed


@pytest.fixture(scope="session")
def mirror_of() -> Callable[[Client, Path], Awaitable[Path]]:
    """Give what copies the log of a trail into a folder, as anyone may, and returns the folder."""

    async def mirror_of(api: Client, folder: Path) -> Path:
        checkpoint = (await api.get(f"{LOG}/checkpoint")).text
        size = Checkpoint.parse(Note.parse(checkpoint).text).size
        minimum = int((await api.get(f"{LOG}/minimum")).text)
        paths = ["checkpoint", "minimum"]
        for level, count in ((0, size), (1, size // TILE_WIDTH)):
            for index in range(-(-count // TILE_WIDTH)):
                tile = Tile(level, index, min(TILE_WIDTH, count - index * TILE_WIDTH))
                paths.append(f"tile/{tile.path()}")
                if level == 0 and tile.end > minimum:
                    paths.append(f"tile/{tile.path('entries')}")
        for path in paths:
            response = await api.get(f"{LOG}/{path}")
            assert response.status_code == 200, path
            file = folder / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(response.content)
        return folder

    return mirror_of


@pytest.fixture
def mirror(api: Client, mirror_of: Callable[[Client, Path], Awaitable[Path]]) -> Mirror:
    """Give what copies the log of the trail under test into a folder, and returns the folder."""

    async def mirror(folder: Path) -> Path:
        return await mirror_of(api, folder)

    return mirror
