"""What the tests of backups stand on."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx2
import pytest

from bedplate.testing.client import Client, client
from gameserver.backups.schemas import Backup, BackupKind
from gameserver.operations.schemas import Operation, OperationState

Ended = Callable[[Client, httpx2.Response], Awaitable[Operation]]
OpenAPI = Callable[..., Awaitable[Client]]
Rows = Callable[[], int]

_TABLES = """
CREATE TABLE chunk (position INTEGER PRIMARY KEY, data BLOB);
CREATE TABLE mapchunk (position INTEGER PRIMARY KEY, data BLOB);
CREATE TABLE mapregion (position INTEGER PRIMARY KEY, data BLOB);
CREATE TABLE gamedata (savegameid INTEGER PRIMARY KEY, data BLOB);
CREATE TABLE playerdata (playerid INTEGER PRIMARY KEY AUTOINCREMENT, playeruid TEXT, data BLOB);
"""


@pytest.fixture(scope="session")
def ended() -> Ended:
    """Give what waits for the end of an accepted operation, by polling as clients do."""

    async def ended(api: Client, response: httpx2.Response) -> Operation:
        assert response.status_code == 202, response.text
        while True:
            answer = await api.get(response.headers["Location"])
            operation = Operation.model_validate(answer.json())
            if operation.state is not OperationState.RUNNING:
                return operation
            await asyncio.sleep(0.02)

    return ended


@pytest.fixture
async def open_api(make_app: Callable[..., Any], admin: dict[str, str]) -> AsyncIterator[OpenAPI]:
    """Give what opens a manager with changed settings, quick ones for backups, as a client."""
    quick = {
        "backup_save_seconds": 1,
        "backup_settle_seconds": 0.5,
        "backup_stall_seconds": 1.5,
        "backup_start_seconds": 1.5,
    }
    async with AsyncExitStack() as stack:

        async def open_api(**changes: Any) -> Client:
            app = make_app(**{**quick, **changes})
            return await stack.enter_async_context(client(app, headers=admin))

        yield open_api


@pytest.fixture
async def backups_api(open_api: OpenAPI) -> Client:
    """Give a manager whose game is stopped, without a world."""
    return await open_api()


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Give the game's data folder."""
    return tmp_path / "data" / "serverdata"


@pytest.fixture
def make_world() -> Callable[[Path, int], None]:
    """Give what makes a world in WAL mode with so many chunks, the last ones only in its log.

    It is left as a crash leaves it: with `-wal` and `-shm`.
    """

    def make_world(path: Path, chunks: int) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        live = path.with_name("live.db")
        with closing(sqlite3.connect(live, isolation_level=None)) as database:
            database.execute("PRAGMA journal_mode=WAL")
            database.executescript(_TABLES)
            database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            rows = [(bytes(1000),)] * chunks
            database.execute("BEGIN")
            database.executemany("INSERT INTO chunk (data) VALUES (?)", rows)
            database.execute("COMMIT")
            for suffix in ("", "-wal", "-shm"):
                source, target = (
                    live.with_name(f"live.db{suffix}"),
                    path.with_name(path.name + suffix),
                )
                target.write_bytes(source.read_bytes())
        live.unlink()

    return make_world


@pytest.fixture
def chunks_in() -> Callable[[Path], int]:
    """Give what counts the chunks of a world that isn't open."""

    def chunks_in(path: Path) -> int:
        with closing(sqlite3.connect(path)) as database:
            assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
            count: int = database.execute("SELECT count(*) FROM chunk").fetchone()[0]
        return count

    return chunks_in


@pytest.fixture
def backup_record() -> Backup:
    """Give the record of a backup."""
    return Backup(
        id="20260101-000000-manual-00000000",
        kind=BackupKind.MANUAL,
        created_at=datetime(2026, 1, 1, tzinfo=UTC),
        by="test",
        world="default.vcdbs",
        bytes=1,
        sha256="",
        contents={},
    )
