"""Conditional requests on tasks: 304, 412, and races that only one writer wins."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import httpx2
import pytest

from bedplate.testing.client import Client
from bedplate.testing.problems import ProblemOf

Headers = dict[str, str]
AddTask = Callable[..., Awaitable[dict[str, Any]]]
Stored = Callable[[], Awaitable[list[dict[str, Any]]]]

WRITES: tuple[tuple[str, dict[str, Any] | None], ...] = (
    ("PUT", {"title": "Oats"}),
    ("PATCH", {"title": "Oats"}),
    ("DELETE", None),
)
# Each is a version that the task isn't at; some are none that any task could be at.
NOT_ITS_VERSION = (
    '"2"', '"0"', '"01"', '"-1"', '"1.0"', '"²"', '""', 'W/"1"', f'"{2**31}"', f'"{2**63}"',
    f'"{"1" * 5000}"',
)  # fmt: skip
MALFORMED = ("1", '"1', '"1" "2"', "", ",", "*, *", "'1'")


async def test_an_unchanged_task_is_not_sent_again(
    api: Client, ada: Headers, add_task: AddTask
) -> None:
    """If-None-Match with the task's ETag, weak or among others, or `*`, is a 304 without a body."""
    task = await add_task(ada)
    for condition in ('"1"', 'W/"1"', '"8", "1"', "*"):
        response = await api.get(
            f"/tasks/{task['id']}", headers={**ada, "If-None-Match": condition}
        )
        assert (response.status_code, response.content) == (304, b"")
        assert response.headers["etag"] == '"1"'


async def test_a_changed_task_is_sent(api: Client, ada: Headers, add_task: AddTask) -> None:
    """If-None-Match with an ETag from before the last change is a 200."""
    task = await add_task(ada)
    await api.patch(f"/tasks/{task['id']}", json={"completed": True}, headers=ada)
    response = await api.get(f"/tasks/{task['id']}", headers={**ada, "If-None-Match": '"1"'})
    assert (response.status_code, response.headers["etag"]) == (200, '"2"')
    assert response.json()["completed"] is True


@pytest.mark.parametrize(("method", "body"), WRITES)
async def test_only_the_version_that_was_read_is_changed(
    api: Client, ada: Headers, add_task: AddTask, stored: Stored, problem_of: ProblemOf,
    method: str, body: dict[str, Any] | None,
) -> None:  # fmt: skip
    """If-Match with another version is a 412 that changes nothing; with its own it passes."""
    task = await add_task(ada)
    before = await stored()
    for etag in NOT_ITS_VERSION:
        headers = httpx2.Headers({**ada, "If-Match": etag}, encoding="latin-1")
        response = await api.request(method, f"/tasks/{task['id']}", json=body, headers=headers)
        assert problem_of(response, 412)["code"] == "precondition_failed"
    assert await stored() == before
    headers = httpx2.Headers({**ada, "If-Match": '"8", "1"'})
    response = await api.request(method, f"/tasks/{task['id']}", json=body, headers=headers)
    assert response.status_code in {200, 204}


@pytest.mark.parametrize(("method", "body"), WRITES)
async def test_any_version_is_changed_where_any_will_do(
    api: Client, ada: Headers, add_task: AddTask, problem_of: ProblemOf,
    method: str, body: dict[str, Any] | None,
) -> None:  # fmt: skip
    """`If-Match: *` passes for a task that is there, and is a 404 for one that isn't."""
    task = await add_task(ada)
    anything = {**ada, "If-Match": "*"}
    path = f"/tasks/{task['id']}"
    assert (await api.request(method, path, json=body, headers=anything)).is_success
    for etag in ("*", '"1"'):
        missing = {**ada, "If-Match": etag}
        problem_of(await api.request(method, f"{path}000", json=body, headers=missing), 404)


async def test_a_change_that_changes_nothing_makes_no_version(
    api: Client, ada: Headers, add_task: AddTask, stored: Stored
) -> None:
    """PATCH and PUT with what the task is already leave its ETag and `updated_at` as they were."""
    whole = {"title": "Milk", "description": "2 l", "completed": True}
    task = await add_task(ada, **whole)
    before = await stored()
    path = f"/tasks/{task['id']}"
    for method, body in (("PATCH", {}), ("PATCH", {"title": "Milk"}), ("PUT", whole)):
        response = await api.request(method, path, json=body, headers={**ada, "If-Match": '"1"'})
        assert (response.status_code, response.headers["etag"]) == (200, '"1"')
        assert response.json() == task
    assert await stored() == before
    cleared = await api.patch(path, json={"description": None}, headers=ada)
    assert cleared.headers["etag"] == '"2"'
    assert cleared.json()["updated_at"] > task["updated_at"]


async def test_a_put_of_a_new_task_replaces_none(
    api: Client, ada: Headers, add_task: AddTask, stored: Stored, problem_of: ProblemOf
) -> None:
    """`If-None-Match: *` on PUT is a 412 for a task that is there, and a 404 for another."""
    task = await add_task(ada)
    before = await stored()
    path, new = f"/tasks/{task['id']}", {**ada, "If-None-Match": "*"}
    for headers in (new, {**new, "If-Match": '"1"'}):
        problem_of(await api.put(path, json={"title": "Oats"}, headers=headers), 412)
    problem_of(await api.put(f"{path}000", json={"title": "Oats"}, headers=new), 404)
    assert await stored() == before


async def test_malformed_conditions_are_refused(
    api: Client, ada: Headers, add_task: AddTask, stored: Stored, problem_of: ProblemOf
) -> None:
    """A condition that isn't `*` or a list of entity tags is a 400, and nothing changes."""
    task = await add_task(ada)
    before = await stored()
    for condition in MALFORMED:
        for method, name in (("GET", "If-None-Match"), ("DELETE", "If-Match")):
            headers = {**ada, name: condition}
            response = await api.request(method, f"/tasks/{task['id']}", headers=headers)
            assert name in problem_of(response, 400)["detail"]
    assert await stored() == before


@pytest.mark.parametrize(("method", "body"), WRITES)
async def test_of_writers_with_the_same_etag_one_wins(
    api: Client, ada: Headers, add_task: AddTask, stored: Stored,
    method: str, body: dict[str, Any] | None,
) -> None:  # fmt: skip
    """Of eight simultaneous writers with one ETag, one succeeds; all others get 412, or 404."""
    task = await add_task(ada)
    path, headers = f"/tasks/{task['id']}", {**ada, "If-Match": '"1"'}
    writers = [api.request(method, path, json=body, headers=headers) for _ in range(8)]
    statuses = sorted(response.status_code for response in await asyncio.gather(*writers))
    success, lost = (204, 404) if method == "DELETE" else (200, 412)
    assert statuses == [success, *[lost] * 7]
    assert [row["version"] for row in await stored()] == ([] if method == "DELETE" else [2])


async def test_a_change_and_a_deletion_with_the_same_etag_exclude_each_other(
    api: Client, ada: Headers, add_task: AddTask, stored: Stored
) -> None:
    """Either the change wins and the deletion is a 412, or the deletion wins and it is a 404."""
    outcomes = {(200, 412): 1, (404, 204): 0}
    for _ in range(5):
        task = await add_task(ada)
        path, headers = f"/tasks/{task['id']}", {**ada, "If-Match": '"1"'}
        changed, deleted = await asyncio.gather(
            api.put(path, json={"title": "Oats"}, headers=headers),
            api.delete(path, headers=headers),
        )
        left = outcomes[(changed.status_code, deleted.status_code)]
        assert sum(row["id"] == task["id"] for row in await stored()) == left
