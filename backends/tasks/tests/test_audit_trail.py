"""Changes of tasks in a real audit trail: each exactly once, and none that wasn't made."""

import asyncio
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from fastapi import FastAPI
from sqlalchemy import text

from bedplate.database import Database
from bedplate.testing.client import Client, client
from bedplate.testing.problems import ProblemOf
from bedplate.testing.processes import ServerProcess, free_port

Headers = dict[str, str]
MakeApp = Callable[..., FastAPI]
AddTask = Callable[..., Awaitable[dict[str, Any]]]
Stored = Callable[[], Awaitable[list[dict[str, Any]]]]

BEDPLATE = str(Path(sys.executable).with_name("bedplate"))
MILK = {"title": "Milk"}


@pytest.fixture
def trail(tmp_path: Path) -> Iterator[ServerProcess]:
    """Give an audit trail in a process of its own, with an empty database."""
    port = free_port()
    with ServerProcess(
        [BEDPLATE, "run", "audits", "--grace", "0", "--port", str(port),
         "--operations-port", str(free_port())],
        url=f"http://127.0.0.1:{port}",
        env={"DATABASE_URL": f"sqlite:///{tmp_path}/trail.db", "LOG_LEVEL": "warning"},
        cwd=tmp_path,
        timeout_seconds=60,
    ) as process:  # fmt: skip
        yield process


@pytest.fixture
async def recorded(make_app: MakeApp, trail: ServerProcess) -> AsyncIterator[Client]:
    """Give a client of the API whose changes the trail records."""
    async with client(make_app(audits_url=trail.url)) as opened:
        yield opened


@pytest.fixture
def records(trail: ServerProcess) -> Callable[[int], Awaitable[list[dict[str, Any]]]]:
    """Give what waits for so many records in the trail, and returns all, the first one first."""

    async def records(expected: int) -> list[dict[str, Any]]:
        async with httpx2.AsyncClient(base_url=trail.url or "") as http, asyncio.timeout(30):
            while True:
                page = await http.get("/api/v1/audits", params={"entity_type": "task", "limit": 50})
                found: list[dict[str, Any]] = page.json()["items"]
                if len(found) >= expected:
                    return found[::-1]
                await asyncio.sleep(0.05)

    return records


Records = Callable[[int], Awaitable[list[dict[str, Any]]]]


async def test_every_change_is_recorded_once(
    recorded: Client, ada: Headers, records: Records
) -> None:
    """Adding, replacing, changing and deleting tasks are records, in their order, without texts."""
    keyed = {**ada, "Idempotency-Key": "1"}
    task = (await recorded.post("/tasks", json=MILK, headers=keyed)).json()
    again = await recorded.post("/tasks", json=MILK, headers=keyed)
    assert again.json()["id"] == task["id"]
    path = f"/tasks/{task['id']}"
    await recorded.put(path, json={"title": "Oats"}, headers=ada)
    patched = await recorded.patch(path, json={"completed": True}, headers=ada)
    assert (await recorded.delete(path, headers=ada)).status_code == 204
    numbers = [
        (await recorded.post("/tasks", json=MILK, headers=ada)).json()["id"] for _ in range(2)
    ]
    bulk = {"ids": [*numbers, 999]}
    deleted = (await recorded.post("/tasks/bulk-delete", json=bulk, headers=ada)).json()
    assert deleted == {"deleted": numbers, "not_found": [999]}
    found = await records(8)
    number = str(task["id"])
    assert [(each["action_type"], each["entity_ref"]) for each in found] == [
        ("create", number),
        ("update", number),
        ("update", number),
        ("delete", number),
        *(("create", str(added)) for added in numbers),
        *(("delete", str(added)) for added in numbers),
    ]
    assert {each["user_id"] for each in found} == {task["user_id"]}
    assert found[1]["details"] == {"fields": ["completed", "description", "title"]}
    assert found[2]["details"] == {"fields": ["completed"]}
    assert found[2]["correlation_id"] == patched.headers["x-request-id"]
    assert found[2]["occurred_at"] <= found[2]["created_at"]
    assert "Oats" not in str(found)


async def test_what_did_not_happen_is_not_recorded(
    recorded: Client, ada: Headers, grace: Headers, records: Records
) -> None:
    """A 404, a 412, another user's task and a change of nothing leave no record."""
    added = await recorded.post("/tasks", json=MILK, headers=ada)
    path = f"/tasks/{added.json()['id']}"
    assert (await recorded.patch(path, json=MILK, headers=ada)).status_code == 200
    stale = {**ada, "If-Match": '"999"'}
    assert (await recorded.patch(path, json=MILK, headers=stale)).status_code == 412
    assert (await recorded.delete(path, headers=stale)).status_code == 412
    assert (await recorded.put(path, json=MILK, headers=grace)).status_code == 404
    assert (await recorded.delete("/tasks/999", headers=ada)).status_code == 404
    assert (await recorded.delete(path, headers=ada)).status_code == 204
    assert [each["action_type"] for each in await records(2)] == ["create", "delete"]


async def test_the_trail_may_be_away(
    recorded: Client, ada: Headers, trail: ServerProcess, records: Records, database: Database
) -> None:
    """While the trail is down tasks change all the same; their events are sent when it is back."""
    await recorded.post("/tasks", json=MILK, headers=ada)
    await records(1)
    trail.kill()
    trail.wait()
    for _ in range(3):
        assert (await recorded.post("/tasks", json=MILK, headers=ada)).status_code == 201
    async with database.engine.connect() as connection:
        assert await connection.scalar(text("SELECT count(*) FROM audit_outbox")) == 3
    trail.start()
    assert len(await records(4)) == 4


async def test_a_change_without_its_event_is_not_made(
    recorded: Client, ada: Headers, database: Database, stored: Stored, problem_of: ProblemOf
) -> None:
    """When the outbox can't store the event, the request is a 503 and the task stays as it is."""
    added = await recorded.post("/tasks", json=MILK, headers=ada)
    async with database.engine.begin() as connection:
        await connection.execute(text("DROP TABLE audit_outbox"))
    with recorded.expecting(503):
        path = f"/tasks/{added.json()['id']}"
        refused = await recorded.put(path, json={"title": "Oats"}, headers=ada)
        assert problem_of(refused, 503)["code"] == "audits_unavailable"
        problem_of(await recorded.post("/tasks", json=MILK, headers=ada), 503)
    assert [row["title"] for row in await stored()] == ["Milk"]


async def test_nothing_is_recorded_by_default(
    api: Client, add_task: AddTask, ada: Headers, database: Database
) -> None:
    """Without `TASKS_AUDITS_URL` no event is stored."""
    await api.delete(f"/tasks/{(await add_task(ada))['id']}", headers=ada)
    async with database.engine.connect() as connection:
        assert await connection.scalar(text("SELECT count(*) FROM audit_outbox")) == 0
