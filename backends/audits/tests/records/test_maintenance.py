"""Pruning and erasing: what may go goes, and everything else stays provable."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from pydantic import SecretStr
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from audits.records import partitions
from audits.records.exceptions import MonthNotOver
from audits.records.maintenance import prune
from audits.records.repository import add_partition
from audits.records.service import add_partitions
from audits.settings import AuditsSettings
from audits.transparency.checkpoint import verifier_of
from audits.transparency.note import Note
from audits.verification.finding import Broken
from audits.verification.log import LogFolder, verify_log
from bedplate.database import Database
from bedplate.testing.client import Client, client
from bedplate.testing.clock import SettableClock

MakeApp = Callable[..., FastAPI]
Signed = Callable[..., Awaitable[Note]]
AUDITS = "/api/v1/audits"
LOG = "/api/v1/log/default"
MONTHS = [datetime(2031, month, 15, 12, tzinfo=UTC) for month in (5, 6, 7)]
PER_MONTH = 300


@pytest.fixture(name="trail")
async def _trail(make_app: MakeApp, database: Database, clock: SettableClock) -> Any:
    """Give a client of a trail with 300 records in each of three months, and some of a tenant."""
    if database.dialect.name == "postgresql":
        for month in MONTHS:
            await add_partition(database.read(), month)
    async with client(make_app()) as api:
        for month in MONTHS:
            clock.set(month)
            for tenant, count in (("default", PER_MONTH), ("acme", 3)):
                records = [
                    {"action_type": "other", "entity_type": f"{month:%B}", "tenant": tenant,
                     "status": "pending" if number == 0 else "success"}
                    for number in range(count)
                ]  # fmt: skip
                answer = await api.post(f"{AUDITS}/batch", json={"records": records})
                assert answer.status_code == 201, answer.text
        yield api


async def tables(database: Database) -> set[str]:
    """Return the names of the partitions."""
    async with database.engine.connect() as connection:
        rows = await connection.execute(
            text("SELECT relname FROM pg_class WHERE relname ~ '^audit_2031_..$'")
        )
        return {name for (name,) in rows}


async def test_pruned_records_leave_and_the_others_stay_provable(
    trail: Client,
    database: Database,
    clock: SettableClock,
    tmp_path: Path,
    mirror_of: Callable[[Client, Path], Awaitable[Path]],
) -> None:
    """Lists, exports and the log begin at the kept month; every kept record is still proved."""
    old = (await trail.get(f"{AUDITS}?entity_type=May&limit=1")).json()["items"][0]
    kept = (await trail.get(f"{AUDITS}?entity_type=June&limit=1")).json()["items"][0]
    pending = (await trail.get(f"{AUDITS}?entity_type=June&status=pending")).json()["items"][0]
    pruned = await prune(database, MONTHS[1])
    assert pruned.minimums == {"default": 256}
    if database.dialect.name == "postgresql":
        assert "audit_2031_05" in pruned.partitions
        assert await tables(database) == {"audit_2031_06", "audit_2031_07"}
    page = (await trail.get(AUDITS)).json()
    assert page["total"] == 2 * PER_MONTH
    assert (await trail.get(f"{AUDITS}?entity_type=May")).json()["total"] == 0
    assert (await trail.get(f"{AUDITS}?status=pending")).json()["total"] == 2
    assert (await trail.get(f"{AUDITS}?tenant=acme")).json()["total"] == 9
    assert (await trail.get(f"{AUDITS}/{kept['id']}")).json() == kept
    done = await trail.put(f"{AUDITS}/{pending['id']}", json={"status": "success"})
    assert done.status_code == 200
    assert (await trail.get(f"{AUDITS}?status=pending")).json()["total"] == 1
    lines = (await trail.get(f"{AUDITS}/export")).content.splitlines()
    assert len(lines) == 2 * PER_MONTH + 2
    assert (await trail.get(f"{LOG}/minimum")).text == "256\n"
    assert (await trail.get(f"{LOG}/tile/entries/000")).status_code == 404
    assert (await trail.get(f"{AUDITS}/{old['id']}/history")).status_code in {200, 404}
    keys = (await trail.get(f"{LOG}/key")).text.splitlines()
    folder = await mirror_of(trail, tmp_path / "log")
    verified = verify_log(LogFolder(folder), [verifier_of(key) for key in keys])
    assert (verified.records, verified.size) == (901 - 256, 901)
    assert not await prune(database, MONTHS[1])


async def test_a_second_pruning_within_one_bundle_removes_nothing(
    make_app: MakeApp, database: Database, clock: SettableClock
) -> None:
    """When no further bundle of 256 is all old, a later month says so and removes none."""
    new = {"action_type": "other", "entity_type": "x"}
    async with client(make_app()) as api:
        for month, count in zip(MONTHS, (300, 100, 1), strict=True):
            clock.set(month)
            await api.post(f"{AUDITS}/batch", json={"records": [new] * count})
        assert (await prune(database, MONTHS[1])).minimums == {"default": 256}
        before = (await api.get(AUDITS)).json()["total"]
        assert not await prune(database, MONTHS[2])
        assert (await api.get(AUDITS)).json()["total"] == before == 101


async def test_a_minimum_hides_no_changed_record(
    trail: Client,
    database: Database,
    tmp_path: Path,
    mirror_of: Callable[[Client, Path], Awaitable[Path]],
) -> None:
    """A log that claims more to be pruned than it needs still has to lead to its signed root."""
    await prune(database, MONTHS[1])
    await trail.get(f"{AUDITS}/export")
    folder = await mirror_of(trail, tmp_path / "log")
    keys = [verifier_of(key) for key in (await trail.get(f"{LOG}/key")).text.splitlines()]
    verify_log(LogFolder(folder), keys)
    tile = folder / "tile" / "0" / "000"
    tile.write_bytes(b"x" * 32 + tile.read_bytes()[32:])
    with pytest.raises(Broken):
        verify_log(LogFolder(folder), keys)


async def test_the_guards_are_back_after_pruning(trail: Client, database: Database) -> None:
    """Afterwards the trail refuses changes as before."""
    await prune(database, MONTHS[1])
    with pytest.raises(DBAPIError, match="never changed"):
        async with database.engine.begin() as connection:
            await connection.execute(text("DELETE FROM audit"))
    assert (await trail.get(AUDITS)).json()["total"] == 2 * PER_MONTH


async def test_time_never_falls_within_a_chain(make_app: MakeApp, clock: SettableClock) -> None:
    """When the server's clock is set back, later records still get the later time."""
    new = {"action_type": "other", "entity_type": "x"}
    async with client(make_app()) as api:
        clock.set(MONTHS[1])
        first = (await api.post(AUDITS, json=new)).json()
        clock.set(MONTHS[1] - timedelta(days=3))
        second = (await api.post(AUDITS, json=new)).json()
        assert second["created_at"] == first["created_at"]


async def test_an_interrupted_pruning_is_finished_by_the_next(
    trail: Client, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When it ends between its two transactions, the same command removes what is left."""

    def killed(*_: object) -> tuple[list[str], int]:
        raise RuntimeError("killed")

    await trail.get(f"{AUDITS}/export")
    with monkeypatch.context() as patch:
        patch.setattr(partitions, "remove", killed)
        with pytest.raises(RuntimeError, match="killed"):
            await prune(database, MONTHS[1])
    assert (await trail.get(f"{LOG}/tile/entries/000")).status_code == 200
    pruned = await prune(database, MONTHS[1])
    if database.dialect.name == "postgresql":
        assert "audit_2031_05" in pruned.partitions
    assert (await trail.get(f"{LOG}/tile/entries/000")).status_code == 404
    assert (await trail.get(AUDITS)).json()["total"] == 2 * PER_MONTH


async def test_a_month_that_is_not_over_is_not_pruned(trail: Client, database: Database) -> None:
    """Up to a later month nothing is removed: what comes until then would never be listed."""
    with pytest.raises(MonthNotOver):
        await prune(database, datetime(2031, 8, 1, tzinfo=UTC))
    assert (await trail.get(AUDITS)).json()["total"] == 3 * PER_MONTH


async def test_an_idempotency_key_goes_with_what_it_stood_for(
    make_app: MakeApp, database: Database, clock: SettableClock
) -> None:
    """The key of a pruned record is a new one; that of a kept record is answered as before."""
    new = {"action_type": "other", "entity_type": "x"}
    async with client(make_app()) as api:
        answers = []
        for month in MONTHS[:2]:
            clock.set(month)
            headers = {"Idempotency-Key": f"{month:%B}"}
            answers.append((await api.post(AUDITS, json=new, headers=headers)).json())
            await api.post(f"{AUDITS}/batch", json={"records": [new] * 300})
        await prune(database, MONTHS[1])
        kept = await api.post(AUDITS, json=new, headers={"Idempotency-Key": "June"})
        assert kept.json() == answers[1]
        again = await api.post(AUDITS, json=new, headers={"Idempotency-Key": "May"})
        assert again.status_code == 201
        assert again.json()["sequence"] == 602
        with pytest.raises(DBAPIError, match="never changed"):
            async with database.engine.begin() as connection:
                await connection.execute(text("DELETE FROM audit_key"))


async def test_partitions_of_three_months_are_there_on_a_month_s_last_day(
    postgres_url: str, clock: SettableClock
) -> None:
    """On 31 January that of February isn't skipped."""
    clock.set(datetime(2031, 1, 31, 23, tzinfo=UTC))
    settings = AuditsSettings(_env_file=None, database_url=SecretStr(postgres_url))
    async with Database.open(settings) as database:
        await add_partitions(database)
        assert await tables(database) == {"audit_2031_01", "audit_2031_02", "audit_2031_03"}
