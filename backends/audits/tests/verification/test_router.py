"""Verifications on the server: with progress, and the first break named."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import uuid4

from sqlalchemy import text

from audits.transparency.note import Note
from bedplate.database import Database
from bedplate.testing.client import Client
from bedplate.testing.problems import ProblemOf

Signed = Callable[..., Awaitable[Note]]
AUDITS = "/api/v1/audits"
VERIFY = "/api/v1/log/default/verify"
COUNT = 600


async def record_many(api: Client) -> list[str]:
    """Record some hundred events; return their ids."""
    records = [{"action_type": "other", "entity_type": "row", "entity_ref": f"n{number}"}
               for number in range(COUNT)]  # fmt: skip
    ids: list[str] = (await api.post(f"{AUDITS}/batch", json={"records": records})).json()["ids"]
    return ids


async def ended(api: Client) -> dict[str, Any]:
    """Begin a verification, and return it when it has ended."""
    begun = await api.post(VERIFY)
    assert begun.status_code == 202, begun.text
    for _ in range(200):
        found: dict[str, Any] = (await api.get(begun.headers["location"])).json()
        if found["state"] != "running":
            return found
        await asyncio.sleep(0.05)
    raise AssertionError("it doesn't end")


async def test_a_whole_log_is_verified(api: Client, signed: Signed) -> None:
    """It ends as verified, with as many entries as the checkpoint has."""
    await record_many(api)
    await signed(COUNT)
    found = await ended(api)
    assert (found["state"], found["entries"], found["size"]) == ("verified", COUNT, COUNT)
    assert found["ended_at"] >= found["started_at"]
    assert found["found"] is None


async def test_the_first_break_is_named(api: Client, database: Database, signed: Signed) -> None:
    """After one letter of one record is changed in the database, that record is named."""
    ids = await record_many(api)
    await signed(COUNT)
    async with database.engine.begin() as connection:
        if database.dialect.name == "postgresql":
            await connection.execute(text("SET LOCAL session_replication_role = replica"))
        else:
            await connection.execute(text("DROP TRIGGER audit_no_UPDATE"))
        await connection.execute(text("UPDATE audit SET entity_ref = 'm400' WHERE seq = 400"))
    found = await ended(api)
    assert found["state"] == "broken"
    assert (found["found"]["kind"], found["found"]["seq"]) == ("record", 400)
    assert found["found"]["record_id"] == ids[400]


async def test_what_is_not_there_is_not_verified(api: Client, problem_of: ProblemOf) -> None:
    """A log without a checkpoint, and an unknown verification, are a 404."""
    problem_of(await api.post(VERIFY), 404)
    problem_of(await api.get(f"{VERIFY}/{uuid4()}"), 404)
