"""What the owner of the tables does: erases sensitive values, and prunes what may go.

The role that serves requests may do neither.
"""

import contextlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from asyncpg import InsufficientPrivilegeError
from sqlalchemy.exc import DBAPIError

from audits.log import repository as log
from audits.records import partitions, repository
from audits.records.exceptions import MonthNotOver, OwnerNeeded, RecordNotFound
from audits.settings import AuditsSettings
from audits.transparency.tiles import TILE_WIDTH
from bedplate import clock
from bedplate.database import Database


async def erase(
    database: Database, tenant: str, record_id: UUID, members: Sequence[str]
) -> list[str]:
    """Erase sensitive values of a record from all of its events; none named means all.

    Returns which members were there. The log keeps its commitments to them, so every proof holds.
    Raises `RecordNotFound`.
    """
    async with database.write() as session:
        events = await repository.events_of(session, tenant, [record_id])
        if not events:
            raise RecordNotFound
        seqs = [event["seq"] for event in events]
        return await repository.erase_private(session, tenant, seqs, members)


async def erase_at(tenant: str, record_id: UUID, members: Sequence[str]) -> list[str]:
    """Erase in the database of this process's settings: see `erase`."""
    async with _owned_database() as database:
        return await erase(database, tenant, record_id, members)


@dataclass(frozen=True)
class Pruned:
    """What was pruned: up to which index of each tenant, the partitions that went, and rows."""

    minimums: dict[str, int]
    partitions: list[str]
    rows: int = 0
    """How many rows went by themselves, not with their partition."""

    def __bool__(self) -> bool:
        """Return whether anything was removed."""
        return bool(self.minimums or self.partitions or self.rows)


async def prune(database: Database, before: datetime) -> Pruned:
    """Remove the events from before the month of a time, in all chains.

    The trees aren't changed, and neither are their tiles: old proofs stay valid, and kept events
    get new ones. Records that were created before leave the lists. Events go in whole bundles of
    256, so that some older ones stay in the log. Idempotency keys go with what they stood for.

    What was begun and not finished is finished by the next call. Raises `MonthNotOver`.
    """
    cut = before.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    if cut > clock.now():
        raise MonthNotOver
    minimums = {}
    async with database.write() as session:
        for tenant in await log.tenants(session):
            await session.lock(f"audits.{tenant}")
            size = (await log.head(session, tenant)).size
            first_kept = await repository.first_since(session, tenant, cut)
            kept = size if first_kept is None else first_kept
            minimum = kept // TILE_WIDTH * TILE_WIDTH
            if minimum > await log.minimum(session, tenant):
                await log.add_pruning(session, tenant, minimum, cut)
                await repository.remove_beside(session, tenant, minimum, cut)
                minimums[tenant] = minimum
    reading = database.read()
    pruned_before = await log.pruned_before(reading)
    if pruned_before is None:
        return Pruned({}, [])
    every = {tenant: await log.minimum(reading, tenant) for tenant in await log.tenants(reading)}
    async with database.engine.begin() as connection:
        gone, rows = await connection.run_sync(
            lambda sync: partitions.remove(sync, every, pruned_before)
        )
    return Pruned(minimums, gone, rows)


async def prune_at(before: datetime) -> Pruned:
    """Prune the database of this process's settings: see `prune`."""
    async with _owned_database() as database:
        return await prune(database, before)


@contextlib.asynccontextmanager
async def _owned_database() -> AsyncIterator[Database]:
    """Yield the database of the settings. Raises `OwnerNeeded` when it refuses what is done."""
    async with Database.open(AuditsSettings.load()) as database:
        try:
            yield database
        except InsufficientPrivilegeError:
            raise OwnerNeeded from None
        except DBAPIError as error:
            if getattr(error.orig, "sqlstate", None) == InsufficientPrivilegeError.sqlstate:
                raise OwnerNeeded from None
            raise
