"""The auth server's tables, as the stand-in makes them."""

import re
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from sqlalchemy import Insert, insert, select
from sqlalchemy.exc import IntegrityError

from bedplate.auth.tables import IsInFuture, create_stand_in, metadata, user_sessions
from bedplate.database import Database
from bedplate.testing.clock import SettableClock


async def test_a_stand_in_is_made_once(database: Database) -> None:
    """A second start finds the tables and leaves what is in them."""
    async with database.engine.begin() as connection:
        await connection.execute(_session(datetime.now(UTC), "h"))
    await create_stand_in(database.engine)
    async with database.engine.connect() as connection:
        found = await connection.execute(select(user_sessions.c.token_hash))
        assert found.scalars().all() == ["h"]


def test_no_foreign_key_leads_out_of_a_backend() -> None:
    """The tables are somebody else's: nothing here depends on how they are tied together."""
    assert all(not table.foreign_keys for table in metadata.tables.values())


@pytest.mark.parametrize(("seconds", "ahead"), [(30, True), (-30, False), (10**9, True)])
async def test_an_instant_is_judged_by_the_database_s_clock(
    database: Database, seconds: int, ahead: bool
) -> None:
    """The same on both databases."""
    now = datetime.now(UTC)
    async with database.engine.begin() as connection:
        await connection.execute(_session(now + timedelta(seconds=seconds), "h"))
        found = await connection.execute(
            select(user_sessions.c.id).where(IsInFuture(user_sessions.c.expires_at))
        )
        assert (found.first() is not None) is ahead


async def test_a_process_whose_clock_is_wrong_judges_the_same(
    database: Database, clock: SettableClock
) -> None:
    """Years behind or ahead, the process asks the database, and sends it no time of its own."""
    query = select(user_sessions.c.id).where(IsInFuture(user_sessions.c.expires_at))
    compiled = query.compile(database.engine.sync_engine)
    assert not compiled.params
    assert not re.search(r"[0-9]{6}", str(compiled))
    async with database.engine.begin() as connection:
        await connection.execute(_session(datetime.now(UTC) + timedelta(hours=1), "h"))
        for year in (2020, 2099):
            clock.set(datetime(year, 1, 1, tzinfo=UTC))
            assert (await connection.execute(query)).first() is not None


async def test_a_hash_stands_for_one_session(database: Database) -> None:
    """Two users can't come out of one token."""
    async with database.engine.begin() as connection:
        await connection.execute(_session(datetime.now(UTC), "h"))
        with pytest.raises(IntegrityError):
            await connection.execute(_session(datetime.now(UTC), "h"))


def _session(expires_at: datetime, token_hash: str) -> Insert:
    return insert(user_sessions).values(
        id=uuid4(),
        user_id=uuid4(),
        token_hash=token_hash,
        expires_at=expires_at,
        revoked=False,
        created_at=datetime.now(UTC),
    )
