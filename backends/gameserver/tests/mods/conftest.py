"""What the tests of mods stand on: the stand-in of the mod database, and real zip files."""

import asyncio
import hashlib
import io
import json
import os
import tarfile
import zipfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from bedplate.testing.client import Client, client
from gameserver_simulator.stand_ins.game_files import game_file
from gameserver_simulator.stand_ins.mod_database import ModDatabase

Operation = dict[str, Any]
Ended = Callable[[httpx2.Response], Awaitable[Operation]]
MakeZip = Callable[..., bytes]
Snapshot = Callable[[], dict[str, str]]
ADMIN = {"X-API-Key": "a" * 40}
# The archives are our own; Python 3.11.2 (Debian 12) has no filters and ignores this.
DATA_FILTER = getattr(tarfile, "data_filter", None)


@pytest.fixture(scope="session")
def served_database() -> Iterator[tuple[ModDatabase, str]]:
    """Give one stand-in for all tests, hostile mods among its own."""
    database = ModDatabase(60, hostile=True)
    with database.serving() as url:
        yield database, url


@pytest.fixture
def mod_database(served_database: tuple[ModDatabase, str]) -> Iterator[ModDatabase]:
    """Give the stand-in with good manners."""
    database, _ = served_database
    before = dict(vars(database.fault_modes))
    database.fault_modes.requests.clear()
    yield database
    vars(database.fault_modes).update(before)


@pytest.fixture
def database_url(served_database: tuple[ModDatabase, str], mod_database: ModDatabase) -> str:
    """Give where the stand-in is."""
    return served_database[1]


@pytest.fixture(scope="session")
def game_archive() -> bytes:
    """Give the archive of version 1.21.6, whose program is the simulated game."""
    return game_file("1.21.6").content


@pytest.fixture
def installed_game(tmp_path: Path, game_archive: bytes) -> None:
    """Install version 1.21.6 of the game."""
    data = tmp_path / "data"
    with tarfile.open(fileobj=io.BytesIO(game_archive)) as archive:
        archive.extraction_filter = DATA_FILTER
        archive.extractall(data / "server" / "1.21.6")
    # What needs no .NET is what this machine can run.
    (data / "server" / "1.21.6" / "VintagestoryServer.dll").unlink(missing_ok=True)
    state = data / "manager" / "state" / "installed.json"
    state.parent.mkdir(parents=True)
    state.write_text('{"current": "1.21.6"}')


@pytest.fixture
async def mods_api(
    make_app: Callable[..., Any], database_url: str, installed_game: None
) -> AsyncIterator[Client]:
    """Give a client of the API, for admins: version 1.21.6, and the stand-in of the database."""
    app = make_app(mod_database_url=database_url)
    async with client(app, headers=ADMIN) as opened:
        yield opened


@pytest.fixture
def ended(mods_api: Client) -> Ended:
    """Give what waits for the end of the operation that a response began."""

    async def ended(response: httpx2.Response) -> Operation:
        assert response.status_code == 202, response.text
        while True:
            await asyncio.sleep(0.02)  # polling is what clients do
            operation: Operation = (await mods_api.get(response.headers["location"])).json()
            if operation["state"] != "running":
                return operation

    return ended


@pytest.fixture
def mods_folder(tmp_path: Path) -> Path:
    """Give the folder that the game loads mods from."""
    return tmp_path / "data" / "serverdata" / "Mods"


@pytest.fixture
def make_zip() -> MakeZip:
    """Give what makes a mod's file: `make_zip("lamps", "1.0.0", dependencies={"oil": ""})`."""

    def make_zip(
        mod_id: str = "lamps",
        version: str = "1.0.0",
        entries: dict[str | zipfile.ZipInfo, bytes] | None = None,
        **fields: object,
    ) -> bytes:
        info = {"type": "code", "name": mod_id, "modid": mod_id, "version": version, **fields}
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("modinfo.json", json.dumps(info))
            for name, content in (entries or {}).items():
                archive.writestr(name, content)
        return buffer.getvalue()

    return make_zip


@pytest.fixture
def snapshot(tmp_path: Path) -> Snapshot:
    """Give what hashes every file of the test's folder but what the manager may change any time."""
    changing = ("manager/cache", "manager/state", "manager/audit", "manager/journal")

    def snapshot() -> dict[str, str]:
        found = {}
        for folder, _, names in os.walk(tmp_path):
            for name in names:
                path = Path(folder) / name
                relative = path.relative_to(tmp_path).as_posix()
                if not relative.removeprefix("data/").startswith(changing):
                    found[relative] = hashlib.sha256(path.read_bytes()).hexdigest()
        return found

    return snapshot
