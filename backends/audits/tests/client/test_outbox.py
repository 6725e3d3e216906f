"""The outbox: an event is there exactly if its change is, and is recorded exactly once."""

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx2
import pytest
from sqlalchemy import Column, Integer, MetaData, bindparam, func, insert, select
from sqlalchemy import Table as SQLTable
from sqlalchemy import text as sql

from audits_client import (
    AuditsClient,
    AuditsRefused,
    AuditsUnavailable,
    Outbox,
    Shipper,
    outbox_table,
)
from bedplate import clock
from bedplate.database import Database, Statement
from bedplate.jobs.background import Jobs
from bedplate.problems import Conflict
from bedplate.testing.client import Client

METADATA = MetaData()
ORDERS = SQLTable("orders", METADATA, Column("id", Integer, primary_key=True))
TABLE = outbox_table(METADATA)
ADD = Statement(insert(ORDERS).values(id=bindparam("number")))
COUNT = Statement(select(func.count().label("count")).select_from(ORDERS))
AUDITS = "/api/v1/audits"


def event(number: int, **changes: Any) -> dict[str, Any]:
    """Return an event."""
    return {"action_type": "create", "entity_type": "order", "entity_ref": f"n{number}", **changes}


class Unreliable(httpx2.AsyncBaseTransport):
    """The way to a trail: it may be away, or lose an answer."""

    def __init__(self, api: Client) -> None:
        self._api = api
        self.faults: list[str] = []
        self.requests = 0

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Pass a request on, with the next fault."""
        self.requests += 1
        fault = self.faults.pop(0) if self.faults else ""
        if fault == "away":
            raise httpx2.ConnectError("away")
        answer = await self._api.request(
            request.method,
            request.url.path,
            content=await request.aread(),
            headers=dict(request.headers),
        )
        if fault == "lost":
            raise httpx2.ReadError("the answer was lost")
        return httpx2.Response(answer.status_code, content=answer.content)


@pytest.fixture(name="service")
async def _service(database: Database) -> Database:
    """Give the database of a service, with its outbox; the trail's tables are in it too."""
    async with database.engine.begin() as connection:
        await connection.run_sync(METADATA.create_all)
    return database


@pytest.fixture(name="way")
async def _way(api: Client) -> Unreliable:
    """Give the way from the service to the trail."""
    return Unreliable(api)


@pytest.fixture(name="shipper")
async def _shipper(service: Database, way: Unreliable) -> AsyncIterator[Shipper]:
    """Give what sends the events of the outbox."""
    async with AuditsClient("http://testserver", transport=way) as audits:
        yield Shipper(service, TABLE, audits)


async def place(service: Database, *numbers: int, outbox: Outbox | None = None) -> None:
    """Store orders, each in a transaction with its event."""
    outbox = outbox or Outbox(TABLE)
    for number in numbers:
        async with service.write() as session:
            await session.all(ADD, number=number)
            await outbox.record(session, event(number))


async def recorded(api: Client) -> list[str]:
    """Return what the trail has, oldest first."""
    items = (await api.get(f"{AUDITS}?limit=50")).json()["items"]
    return [item["entity_ref"] for item in items][::-1]


async def orders(service: Database) -> int:
    """Return how many orders there are."""
    row = await service.read().one_or_none(COUNT)
    assert row is not None
    count: int = row["count"]
    return count


async def test_events_arrive_in_order_and_once(
    api: Client, service: Database, shipper: Shipper
) -> None:
    """What was committed is recorded in its order; afterwards nothing waits."""
    await place(service, *range(1, 6))
    assert await shipper.waiting() == 5
    assert await shipper.ship() == 5
    assert await recorded(api) == [f"n{number}" for number in range(1, 6)]
    assert (await shipper.waiting(), await shipper.ship()) == (0, 0)


async def test_a_change_that_is_rolled_back_leaves_no_event(
    service: Database, shipper: Shipper
) -> None:
    """The event is in the same transaction: both are there, or neither."""

    async def fail() -> None:
        async with service.write() as session:
            await session.all(ADD, number=1)
            await Outbox(TABLE).record(session, event(1))
            raise Conflict

    with pytest.raises(Conflict):
        await fail()
    assert (await orders(service), await shipper.waiting()) == (0, 0)


async def test_a_trail_that_is_away_gets_all_of_it_later(
    api: Client, service: Database, shipper: Shipper, way: Unreliable
) -> None:
    """Lost requests and lost answers are sent again, and record each event once."""
    await place(service, 1, 2)
    way.faults = ["away", "lost", "lost"]
    for _ in range(3):
        with pytest.raises(AuditsUnavailable):
            await shipper.ship()
    await place(service, 3)
    while await shipper.ship():
        pass
    assert await recorded(api) == ["n1", "n2", "n3"]
    assert way.requests == 5


async def test_shippers_of_two_processes_record_once(
    api: Client, service: Database, shipper: Shipper, way: Unreliable
) -> None:
    """Two that take the same batch at once send it under one key."""
    async with AuditsClient("http://testserver", transport=way) as audits:
        other = Shipper(service, TABLE, audits)
        await place(service, *range(1, 21))
        await asyncio.gather(shipper.ship(), other.ship(), shipper.ship(), other.ship())
        while await shipper.ship():
            pass
    assert await recorded(api) == [f"n{number}" for number in range(1, 21)]


async def test_an_event_that_the_trail_refuses_holds_up_no_other(
    api: Client, service: Database, shipper: Shipper
) -> None:
    """It is set aside with the reason; those before and after it arrive."""
    await place(service, 1)
    async with service.write() as session:
        await Outbox(TABLE).record(session, event(2, action_type="burn"))
    await place(service, 3)
    while await shipper.ship():
        pass
    assert await recorded(api) == ["n1", "n3"]
    async with service.engine.connect() as connection:
        refused = await connection.scalar(
            sql("SELECT refused FROM audit_outbox WHERE refused IS NOT NULL")
        )
    assert "action_type" in str(refused)
    assert await shipper.waiting() == 0


async def test_no_event_no_change(service: Database) -> None:
    """When the outbox can't store, it is a 503 and counted, and there is no order."""
    failures: list[int] = []
    async with service.engine.begin() as connection:
        await connection.execute(sql("DROP TABLE audit_outbox"))
    outbox = Outbox(TABLE, on_failure=lambda: failures.append(1))
    with pytest.raises(AuditsUnavailable) as caught:
        await place(service, 1, outbox=outbox)
    assert caught.value.status == 503
    assert (await orders(service), len(failures)) == (0, 1)


async def test_a_change_that_goes_on_without_its_event(service: Database) -> None:
    """Declared as failing open, the order is stored, and the failure is counted."""
    failures: list[int] = []
    async with service.engine.begin() as connection:
        await connection.execute(sql("DROP TABLE audit_outbox"))
    outbox = Outbox(TABLE, on_failure=lambda: failures.append(1))
    async with Jobs() as jobs, service.write() as session:
        await session.all(ADD, number=1)
        outbox.record_later(session, event(1), service, jobs)
    assert (await orders(service), len(failures)) == (1, 1)


async def test_a_shipper_runs_until_it_is_cancelled(
    api: Client, service: Database, shipper: Shipper, way: Unreliable
) -> None:
    """In the background it sends what comes, and outlives what goes wrong."""
    way.faults = ["away"]
    await place(service, 1)
    task = asyncio.create_task(shipper.run())
    for number in (2, 3):
        await place(service, number)
    for _ in range(200):
        if len(await recorded(api)) == 3:
            break
        await asyncio.sleep(0.05)
    task.cancel()
    assert await recorded(api) == ["n1", "n2", "n3"]


async def test_the_client_says_what_is_wrong(way: Unreliable) -> None:
    """A refused event is the caller's mistake; a trail that is away is a 503."""
    async with AuditsClient("http://testserver", transport=way) as audits:
        made = await audits.record(event(1), key="once")
        assert (await audits.record(event(1), key="once"))["id"] == made["id"]
        with pytest.raises(AuditsRefused, match="422: invalid_input status"):
            await audits.record(event(1, status="done"))
        way.faults = ["away"]
        with pytest.raises(AuditsUnavailable):
            await audits.record_many([event(1)])


async def test_the_shipper_sends_while_it_is_open(
    api: Client, service: Database, shipper: Shipper, captured_logs: list[dict[str, object]]
) -> None:
    """What waits is sent while the shipper's context is open; afterwards nothing is, or fails."""
    async with shipper:
        await place(service, 1)
        await asyncio.sleep(1.5)  # longer than the shipper's pause
    assert await shipper.waiting() == 0
    await place(service, 2)
    await asyncio.sleep(1.5)
    assert await shipper.waiting() == 1
    assert (await api.get(AUDITS)).json()["total"] == 1
    assert [line for line in captured_logs if line["logger"] == "audits_client"] == []


@pytest.mark.parametrize("status", [200, 301, 308, 401, 404, 405, 407, 500])
async def test_an_answer_that_says_nothing_of_the_event_sets_none_aside(
    service: Database, status: int
) -> None:
    """A wrong URL, a proxy or a missing key is mended elsewhere: the events wait."""
    await place(service, 1)
    elsewhere = httpx2.MockTransport(lambda _: httpx2.Response(status, content=b"<html>"))
    async with AuditsClient("http://testserver", transport=elsewhere) as audits:
        shipper = Shipper(service, TABLE, audits)
        with pytest.raises(AuditsUnavailable):
            await shipper.ship()
        assert await shipper.waiting() == 1


async def test_an_event_is_plain_json_and_says_when_it_happened(
    api: Client, service: Database, shipper: Shipper
) -> None:
    """Ids and times become text; what isn't JSON is refused at once, and holds up no other."""
    outbox = Outbox(TABLE)
    user = uuid4()
    async with service.write() as session:
        await outbox.record(session, event(1, user_id=user))
        await outbox.record(session, event(2, occurred_at=clock.now() - timedelta(hours=1)))
    for broken in (2**70, "\ud800", object()):
        with pytest.raises(AuditsRefused):
            async with service.write() as session:
                await outbox.record(session, event(3, details={"a": broken}))
    before = clock.now()
    assert await shipper.ship() == 2
    second, first = (await api.get(AUDITS)).json()["items"]
    assert first["user_id"] == str(user)
    assert datetime.fromisoformat(first["occurred_at"]) < before
    waited = datetime.fromisoformat(first["occurred_at"]) - datetime.fromisoformat(
        second["occurred_at"]
    )
    assert waited > timedelta(minutes=59)


async def test_an_event_that_was_stored_broken_holds_up_no_other(
    api: Client, service: Database, shipper: Shipper
) -> None:
    """An integer that JSON can carry and the client can't, from another writer of the table."""
    async with service.write() as session:
        columns = {
            "id": uuid4(),
            "event": event(1, details={"a": 2**70}),
            "created_at": clock.now(),
        }
        await session.all(Statement(insert(TABLE).values(**columns)))
    await place(service, 2)
    for _ in range(4):
        await shipper.ship()
    assert await recorded(api) == ["n2"]
    assert await shipper.waiting() == 0
