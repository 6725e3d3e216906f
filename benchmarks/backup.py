"""A backup of a large world, and how long the event loop is held up meanwhile."""

import asyncio
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from prometheus_client import CollectorRegistry
from pydantic import SecretStr

from bedplate.application import create_app
from bedplate.testing.lifespan import running
from bedplate.testing.processes import free_port
from gameserver.backend import backend
from gameserver.backups.schemas import BackupKind, NewRestore
from gameserver.backups.service import BackupRequest
from gameserver.operations.schemas import Operation
from gameserver.settings import GameServerSettings
from gameserver.status import GameState

_TICK = 0.002
_KIB = 1024


@dataclass(frozen=True)
class Stall:
    """What was done beside the ticking loop: seconds it took, longest and p99 delay in ms."""

    seconds: float
    longest: float
    p99: float


@dataclass
class _Ticking:
    """Notes by how much the loop is late whenever it should tick."""

    delays: list[float] = field(default_factory=list)

    async def tick(self) -> None:
        while True:
            due = time.perf_counter() + _TICK
            await asyncio.sleep(_TICK)
            self.delays.append(time.perf_counter() - due)


def measure(megabytes: int, say: Callable[[str], None]) -> Mapping[str, Stall]:
    """Return what each kind of work did to the loop, measured in a process of its own."""
    say(f"a backup of {megabytes} MB")
    command = [sys.executable, "-m", "benchmarks.backup", str(megabytes)]
    finished = subprocess.run(command, stdout=subprocess.PIPE, check=True, text=True)
    found: dict[str, Any] = json.loads(finished.stdout.splitlines()[-1])
    return {name: Stall(**figures) for name, figures in found.items()}


async def _measure(megabytes: int, folder: Path) -> Mapping[str, Stall]:
    app = create_app(backend, _settings(megabytes, folder), registry=CollectorRegistry())
    async with running(app) as state:
        game, parts, operations = state["game"], state["backups"], state["operations"]

        async def backup() -> None:
            begun = await parts.backups.start(BackupRequest(BackupKind.MANUAL, "benchmark"))
            _require_done(await operations.wait(begun.id))

        async def restore() -> None:
            newest = (await parts.catalogue.list())[0]
            begun = await parts.restores.start(newest.id, NewRestore(), by="benchmark")
            _require_done(await operations.wait(begun.id))

        async def nothing() -> None:
            await asyncio.sleep(10)

        await game.start(by="benchmark")
        await game.wait_for(GameState.RUNNING, timeout=600)
        found = {"nothing": await _beside(nothing), "backup, game runs": await _beside(backup)}
        await game.stop(by="benchmark", reason="The measurement goes on.")
        found["backup, game stopped"] = await _beside(backup)
        found["restore"] = await _beside(restore)
    return found


def _require_done(operation: Operation) -> None:
    if operation.error is not None:
        raise RuntimeError(operation.error.detail)


async def _beside(work: Callable[[], Awaitable[None]]) -> Stall:
    async with _ticking() as ticking:
        began = time.perf_counter()
        await work()
        seconds = time.perf_counter() - began
    delays = sorted(ticking.delays)
    return Stall(seconds, delays[-1] * 1000, delays[len(delays) * 99 // 100] * 1000)


@asynccontextmanager
async def _ticking() -> AsyncIterator[_Ticking]:
    ticking = _Ticking()
    task = asyncio.create_task(ticking.tick())
    await asyncio.sleep(10 * _TICK)
    try:
        yield ticking
    finally:
        task.cancel()
        await asyncio.wait({task})


def _settings(megabytes: int, folder: Path) -> GameServerSettings:
    variables = {
        "SIMULATE_BOOT_SECONDS": "0",
        "SIMULATE_WORLD_KIB": str(megabytes * _KIB),
        "SIMULATE_BACKUP_SECONDS": "4",
    }
    return GameServerSettings.load(
        _env_file=None,
        environment="test",
        data_directory=folder / "data",
        admin_key=SecretStr("a" * 40),
        monitor_key=SecretStr("b" * 40),
        game_port=free_port(),
        game_environment={name: SecretStr(value) for name, value in variables.items()},
        log_level="error",
    )


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as _folder:
        _found = asyncio.run(_measure(int(sys.argv[1]), Path(_folder)))
    print(json.dumps({name: asdict(stall) for name, stall in _found.items()}))
