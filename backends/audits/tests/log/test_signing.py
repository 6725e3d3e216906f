"""Checkpoints are signed soon after each growth, at an interval, and beside other writers."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest

from audits.log import repository, service
from audits.log.service import Notary, Signing
from audits.log.wiring import log_keys
from audits.settings import AuditsSettings
from audits.transparency.note import Note
from bedplate.database import Database, ReadSession, Row

Record = Callable[..., Awaitable[dict[str, Any]]]


class Calls(Notary):
    """Signs nothing: remembers for which tenants it was asked to."""

    def __init__(self, failures: int = 0) -> None:
        self.tenants: list[str] = []
        self.twice = asyncio.Event()
        self._failures = failures

    async def sign(self, tenant: str, *, older_than: timedelta | None = None) -> Note | None:
        """Return no note; raise for the first calls."""
        self.tenants.append(tenant)
        if len(self.tenants) == 2:
            self.twice.set()
        if len(self.tenants) <= self._failures:
            raise RuntimeError("the database is away")
        return None


class Nobody:
    """Takes no notice."""

    def submit(self, tenant: str, note: Note) -> None:
        """Do nothing."""


@asynccontextmanager
async def running(database: Database, notary: Notary, seconds: float) -> AsyncIterator[Signing]:
    """Run what signs in the background, and end it."""
    signing = Signing(database, notary, Nobody(), timedelta(seconds=seconds))
    task = asyncio.create_task(signing.run())
    yield signing
    task.cancel()
    await asyncio.wait([task])


async def test_others_may_append_and_sign_meanwhile(
    record: Record,
    database: Database,
    settings: AuditsSettings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A checkpoint that is signed between two reads of a signer is no broken log."""
    await record()
    notary = Notary(database, log_keys(settings))
    latest = repository.latest_checkpoint

    async def after_others(session: ReadSession, tenant: str) -> Row | None:
        monkeypatch.setattr(repository, "latest_checkpoint", latest)
        await record()
        await notary.sign(tenant)
        return await latest(session, tenant)

    monkeypatch.setattr(repository, "latest_checkpoint", after_others)
    await notary.sign("default")


async def test_idle_chains_are_signed_while_another_grows(
    record: Record, database: Database
) -> None:
    """Chains that grow all the time don't put off the interval of the others."""
    await record()
    notary = Calls()
    async with running(database, notary, 0.6) as signing:
        for _ in range(30):
            signing.grown("busy")
            await asyncio.sleep(0.05)
    assert notary.tenants.count("default") >= 2
    assert "busy" in notary.tenants


async def test_what_could_not_be_signed_is_signed_soon(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a failure it is tried again, without a further record and long before the interval."""
    monkeypatch.setattr(service, "_RETRY_SECONDS", 0.1)
    notary = Calls(failures=1)
    async with running(database, notary, 3600) as signing:
        signing.grown("quiet")
        await asyncio.wait_for(notary.twice.wait(), 5)
    assert notary.tenants == ["quiet"] * 2
