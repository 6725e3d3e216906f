"""The audit trail: appending to one chain, beside inserts without a chain and a lock for each row.

All three store the same rows into the same table. The trail is used as its routes use it, without
HTTP, which costs all of them the same.
"""

import asyncio
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from itertools import count
from pathlib import Path

from pydantic import SecretStr

from audits.backend import backend
from audits.log.chain import Chains
from audits.log.service import Notary, latest, prove
from audits.log.wiring import log_keys
from audits.records import repository, service
from audits.records.events import Batch, Create
from audits.records.export import Export
from audits.records.repository import Filter
from audits.records.schemas import AuditNew
from audits.records.service import Skew, Trail
from audits.settings import AuditsSettings
from bedplate import clock, ids
from bedplate.database import Database, Row
from bedplate.database_state import migrations_of
from bedplate.testing.postgres import PostgresServer

CLIENTS = 100
TENANT = "default"
_VERIFY = """
import sys, time
from audits.transparency.checkpoint import verifier_of
from audits.verification.export import verify_export
began = time.perf_counter()
with open(sys.argv[1], "rb") as lines:
    verify_export(lines, [verifier_of(key) for key in sys.argv[2:]])
seconds = time.perf_counter() - began
# Not ru_maxrss, which begins with the size of the process that started this one.
[peak] = [line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM")]
print(seconds, int(peak) / 1024)
"""
_SKEW = Skew(timedelta(minutes=5), timedelta(days=30))
Say = Callable[[str], None]
Insert = Callable[[AuditNew], Awaitable[object]]


@dataclass(frozen=True)
class Inserting:
    """Rows a second of a hundred clients, and milliseconds: their p95, and one client's p50."""

    rows: float
    p95: float
    alone: float


@dataclass(frozen=True)
class Reading:
    """Milliseconds (p95) of reads in a trail with so many rows."""

    rows: int
    figures: dict[str, float]


@dataclass(frozen=True)
class Measured:
    """What one database did."""

    inserting: dict[str, Inserting]
    batch: float
    reading: list[Reading]
    verified: dict[str, float]


def new(number: int) -> AuditNew:
    """Return an event of ordinary size."""
    return AuditNew(
        action_type=("create", "update", "delete", "view")[number % 4],
        action="invoice.paid",
        entity_type=f"type {number % 20}",
        entity_ref=str(number % 5000),
        actor={"type": "user", "id": str(number % 1000), "name": "Ada"},
        details={"amount": number, "who": "Ada", "note": "paid by card"},
        status="failure" if number % 10 == 0 else "success",
        ip_address="192.0.2.7",
        user_agent="Mozilla/5.0 (X11; Linux x86_64)",
    )


@asynccontextmanager
async def _database(url: str) -> AsyncIterator[Database]:
    settings = AuditsSettings(_env_file=None, database_url=SecretStr(url), database_pool_size=20)
    async with Database.open(settings) as database:
        migrations = migrations_of(backend)
        assert migrations is not None
        await migrations.upgrade(database.engine)
        yield database


async def _inserting(insert: Insert, each: int) -> Inserting:
    seconds: list[float] = []

    async def client(number: int, times: int) -> None:
        for turn in range(times):
            began = time.perf_counter()
            await insert(new(number * 1000 + turn))
            seconds.append(time.perf_counter() - began)

    await client(0, 50)
    seconds.clear()
    await client(0, 300)
    alone = _percentile(seconds, 0.5)
    seconds.clear()
    began = time.perf_counter()
    await asyncio.gather(*(client(number, each) for number in range(CLIENTS)))
    took = time.perf_counter() - began
    return Inserting(CLIENTS * each / took, _percentile(seconds, 0.95), alone)


def _percentile(seconds: Sequence[float], share: float) -> float:
    return sorted(seconds)[int(len(seconds) * share)] * 1000


def _unchained(database: Database) -> Insert:
    numbers = count()

    async def insert(event: AuditNew) -> None:
        row = _row(event, next(numbers), "unchained")
        async with database.write() as session:
            await repository.add(session, events=[row], private=[], keys=[], no_longer_pending=[])

    return insert


def _lock_a_row(database: Database) -> Insert:
    chains = Chains()

    async def insert(event: AuditNew) -> None:
        async with database.write() as session:
            growth = await chains.grow(session, "locked", clock.now())
            batch = Batch(growth, [], {}, {})
            Create([service.first_event(event, ids.uuid7(clock.now()))]).apply(batch)
            await repository.add(
                session, events=batch.events, private=[], keys=[], no_longer_pending=[]
            )
            await chains.store(session, growth)

    return insert


def _row(event: AuditNew, number: int, tenant: str) -> Row:
    now = clock.now()
    row = service.first_event(event, ids.uuid7(now))
    return {
        **row,
        "tenant": tenant,
        "seq": number,
        "event": "created",
        "created_at": now,
        "recorded_at": now,
        "salt": None,
        "commitments": None,
    }


async def _reading(database: Database, rows: int) -> Reading:
    session = database.read()

    async def timed(read: Callable[[], Awaitable[object]], times: int = 40) -> float:
        seconds = []
        for _ in range(times):
            began = time.perf_counter()
            await read()
            seconds.append(time.perf_counter() - began)
        return _percentile(seconds, 0.95)

    def listed(chosen: Filter, offset: int = 0) -> Callable[[], Awaitable[object]]:
        return lambda: service.page(session, TENANT, chosen, limit=20, offset=offset)

    deep = await service.page(session, TENANT, Filter(), limit=1, offset=rows // 2)
    cursor = repository.NEWEST_FIRST.encode([deep.items[0]["created_at"], deep.items[0]["id"]])
    numbers = iter(range(0, rows, max(1, rows // 100)))
    return Reading(
        rows,
        {
            "newest": await timed(listed(Filter())),
            "one filter": await timed(listed(Filter(entity_ref="42"))),
            "two filters, nothing": await timed(
                listed(Filter(entity_type="type 1", action_type="create"))
            ),
            "status": await timed(listed(Filter(status="failure"))),
            "deep cursor": await timed(
                lambda: service.page_after(session, TENANT, Filter(), limit=20, cursor=cursor)
            ),
            "proof": await timed(lambda: prove(session, TENANT, next(numbers))),
        },
    )


async def _verify(database: Database, folder: Path) -> dict[str, float]:
    """Export everything, and verify it in a process of its own: seconds, and megabytes."""
    session = database.read()
    checkpoint = await latest(session, TENANT)
    assert checkpoint is not None
    export = Export(session, TENANT, Filter(), size=checkpoint["size"], note=checkpoint["note"])
    path = folder / "export.ndjson"
    began = time.perf_counter()
    with path.open("wb") as file:
        async for lines in export.lines("ndjson"):
            file.write(lines)
    exported = time.perf_counter() - began
    keys = log_keys(AuditsSettings(_env_file=None)).vkeys(TENANT)
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", _VERIFY, str(path), *keys, stdout=asyncio.subprocess.PIPE
    )
    output, _ = await process.communicate()
    seconds, megabytes = map(float, output.split())
    return {"export": exported, "verify": seconds, "MB": megabytes}


async def _measure(url: str, sizes: Sequence[int], say: Say) -> Measured:
    async with _database(url) as database:
        chains = Chains()
        async with Trail(database, chains, skew=_SKEW) as trail:
            inserting = {
                "ours": await _inserting(lambda event: trail.create(TENANT, [event]), 100),
                "unchained": await _inserting(_unchained(database), 20),
                "lock a row": await _inserting(_lock_a_row(database), 10),
            }
            reading = []
            notary = Notary(database, log_keys(AuditsSettings(_env_file=None)))
            size = CLIENTS * 100 + 350
            batch = 0.0
            for goal in sizes:
                began, stored = time.perf_counter(), 0
                while size < goal:
                    events = [new(size + number) for number in range(min(1000, goal - size))]
                    await trail.create(TENANT, events)
                    size, stored = size + len(events), stored + len(events)
                batch = max(batch, stored / (time.perf_counter() - began))
                say(f"{size:,} rows")
                await notary.sign(TENANT)
                if database.dialect.name == "postgresql":
                    async with database.engine.connect() as connection:
                        plain = await connection.execution_options(isolation_level="AUTOCOMMIT")
                        await plain.exec_driver_sql("VACUUM ANALYZE audit")
                reading.append(await _reading(database, size))
        with tempfile.TemporaryDirectory() as folder:
            verified = await _verify(database, Path(folder))
    return Measured(inserting, batch, reading, verified)


def measure(sizes: Sequence[int], say: Say) -> dict[str, Measured]:
    """Measure on PostgreSQL and on SQLite, with trails of these sizes."""
    with PostgresServer() as server:
        say("the audit trail on PostgreSQL")
        postgresql = asyncio.run(_measure(server.create_database(), sizes, say))
    with tempfile.TemporaryDirectory() as folder:
        say("the audit trail on SQLite")
        sqlite = asyncio.run(_measure(f"sqlite:///{folder}/audits.db", sizes, say))
    return {"PostgreSQL": postgresql, "SQLite": sqlite}
