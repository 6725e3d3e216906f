"""The contract of single tasks, on SQLite and on PostgreSQL."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bedplate.testing.client import Client
from bedplate.testing.clock import SettableClock
from bedplate.testing.problems import ProblemOf

Headers = dict[str, str]
AddTask = Callable[..., Awaitable[dict[str, Any]]]
Stored = Callable[[], Awaitable[list[dict[str, Any]]]]

ON_A_TASK = (
    ("GET", None),
    ("PUT", {"title": "Mine now"}),
    ("PATCH", {"completed": True}),
    ("DELETE", None),
)


async def test_a_task_is_stored_shown_changed_and_deleted(api: Client, ada: Headers) -> None:
    """A task can be added, read, replaced, patched and deleted, each with the promised status."""
    added = await api.post("/tasks", json={"title": " Buy milk "}, headers=ada)
    assert added.status_code == 201, added.text
    task = added.json()
    assert added.headers["location"] == f"/tasks/{task['id']}"
    assert (task["title"], task["description"], task["completed"]) == ("Buy milk", None, False)

    shown = await api.get(added.headers["location"], headers=ada)
    assert (shown.status_code, shown.json()) == (200, task)
    assert shown.headers["etag"] == added.headers["etag"] == '"1"'

    replaced = await api.put(
        f"/tasks/{task['id']}", json={"title": "Oats", "completed": True}, headers=ada
    )
    assert (replaced.status_code, replaced.json()["completed"]) == (200, True)
    assert replaced.headers["etag"] == '"2"'

    patched = await api.patch(f"/tasks/{task['id']}", json={"description": "1 l"}, headers=ada)
    assert (patched.status_code, patched.headers["etag"]) == (200, '"3"')
    assert (patched.json()["title"], patched.json()["description"]) == ("Oats", "1 l")

    deleted = await api.delete(f"/tasks/{task['id']}", headers=ada)
    assert (deleted.status_code, deleted.content) == (204, b"")
    gone = await api.get(f"/tasks/{task['id']}", headers=ada)
    assert (gone.status_code, gone.json()["code"]) == (404, "task_not_found")


async def test_a_task_has_the_promised_members(api: Client, ada: Headers, stored: Stored) -> None:
    """A task shows its seven members, with its owner's id and times in UTC, and nothing else."""
    task = (await api.post("/tasks", json={"title": "Milk"}, headers=ada)).json()
    (row,) = await stored()
    assert list(task) == [
        "id", "user_id", "title", "description", "completed", "created_at", "updated_at",
    ]  # fmt: skip
    assert task["user_id"] == str(row["user_id"])
    assert datetime.fromisoformat(task["created_at"]).utcoffset() == timedelta(0)


async def test_a_change_moves_updated_at_alone(
    api: Client, ada: Headers, add_task: AddTask
) -> None:
    """`created_at` stays, `updated_at` is the time of the last change."""
    with SettableClock(datetime.now(UTC)) as clock:
        task = await add_task(ada)
        assert task["updated_at"] == task["created_at"]
        later = clock.advance(minutes=5)
        changed = await api.patch(f"/tasks/{task['id']}", json={"completed": True}, headers=ada)
    assert changed.json()["created_at"] == task["created_at"]
    assert datetime.fromisoformat(changed.json()["updated_at"]) == later


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
async def test_a_change_is_seen_by_the_next_read(
    api: Client, ada: Headers, add_task: AddTask, method: str
) -> None:
    """What PUT and PATCH answer is what GET and the list show afterwards."""
    task = await add_task(ada)
    body = {"title": "Oats", "description": "2 kg"}
    changed = await api.request(method, f"/tasks/{task['id']}", json=body, headers=ada)
    assert (await api.get(f"/tasks/{task['id']}", headers=ada)).json() == changed.json()
    assert (await api.get("/tasks", headers=ada)).json() == [changed.json()]


async def test_put_replaces_what_is_not_sent(api: Client, ada: Headers, add_task: AddTask) -> None:
    """PUT without description and completed sets them back."""
    task = await add_task(ada, description="2 l", completed=True)
    replaced = await api.put(f"/tasks/{task['id']}", json={"title": "Milk"}, headers=ada)
    assert (replaced.json()["description"], replaced.json()["completed"]) == (None, False)


async def test_patch_changes_only_what_is_sent(
    api: Client, ada: Headers, add_task: AddTask, problem_of: ProblemOf, subtests: pytest.Subtests
) -> None:
    """PATCH changes the fields it is sent; null clears the description, and nothing else."""
    whole = {"title": "Milk", "description": "2 l", "completed": True}
    cases: list[tuple[dict[str, Any], dict[str, Any] | None]] = [
        ({}, {}),
        ({"title": " Oats "}, {"title": "Oats"}),
        ({"completed": False}, {"completed": False}),
        ({"description": None}, {"description": None}),
        ({"description": ""}, {"description": ""}),
        ({"title": None}, None),
        ({"completed": None}, None),
    ]
    for sent, changes in cases:
        with subtests.test(sent=sent):
            task = await add_task(ada, **whole)
            patched = await api.patch(f"/tasks/{task['id']}", json=sent, headers=ada)
            if changes is None:
                problem_of(patched, 400)
            shown = (await api.get(f"/tasks/{task['id']}", headers=ada)).json()
            assert {name: shown[name] for name in whole} == whole | (changes or {})


async def test_unknown_fields_are_refused(
    api: Client, ada: Headers, add_task: AddTask, problem_of: ProblemOf, stored: Stored
) -> None:
    """A field that the contract doesn't know, an id or an owner for instance, is named in a 400."""
    task = await add_task(ada)
    before = await stored()
    address = f"/tasks/{task['id']}"
    for method, path in (("POST", "/tasks"), ("PUT", address), ("PATCH", address)):
        for field in ("id", "user_id", "created_at", "version", "nonsense"):
            sent = {"title": "Oats", field: None}
            problem = problem_of(await api.request(method, path, json=sent, headers=ada), 400)
            assert [error["field"] for error in problem["errors"]] == [field]
    assert await stored() == before


async def test_another_users_task_is_as_if_it_never_was(
    api: Client, ada: Headers, grace: Headers, add_task: AddTask, stored: Stored,
    problem_of: ProblemOf,
) -> None:  # fmt: skip
    """Another user's task and one that never was get the same 404, and nothing changes."""
    task = await add_task(ada)
    before = await stored()
    for method, body in ON_A_TASK:
        answers = []
        for task_id in (task["id"], task["id"] + 1000):
            response = await api.request(method, f"/tasks/{task_id}", json=body, headers=grace)
            problem = problem_of(response, 404)
            assert problem.pop("instance") == f"/tasks/{task_id}"
            answers.append(
                {k: v for k, v in problem.items() if k not in {"timestamp", "request_id"}}
            )
        assert answers[0] == answers[1]
        assert answers[0]["code"] == "task_not_found"
    assert (await api.get("/tasks", headers=grace)).json() == []
    assert await stored() == before


async def test_an_id_is_never_given_twice(api: Client, ada: Headers, add_task: AddTask) -> None:
    """Who still has a deleted task's id and ETag neither sees nor deletes the next task."""
    rent = await add_task(ada, title="Pay the rent")
    await api.delete(f"/tasks/{rent['id']}", headers=ada)
    doctor = await add_task(ada, title="Call the doctor")
    assert doctor["id"] > rent["id"]
    late = await api.delete(f"/tasks/{rent['id']}", headers={**ada, "If-Match": '"1"'})
    assert late.status_code == 404


async def test_a_deleted_task_is_gone_for_every_method(
    api: Client, ada: Headers, add_task: AddTask, problem_of: ProblemOf
) -> None:
    """After a DELETE every method answers 404, a second DELETE too."""
    task = await add_task(ada)
    assert (await api.delete(f"/tasks/{task['id']}", headers=ada)).status_code == 204
    for method, body in ON_A_TASK:
        problem_of(await api.request(method, f"/tasks/{task['id']}", json=body, headers=ada), 404)


async def test_head_says_what_get_would(api: Client, ada: Headers, add_task: AddTask) -> None:
    """HEAD has the status and the headers of GET, and no body."""
    task = await add_task(ada)
    for path in (f"/tasks/{task['id']}", f"/tasks/{task['id'] + 1}", "/tasks?limit=1", "/health"):
        head, get = await api.head(path, headers=ada), await api.get(path, headers=ada)
        assert (head.status_code, head.content) == (get.status_code, b"")
        for name in ("content-type", "etag"):
            assert head.headers.get(name) == get.headers.get(name)


async def test_the_longest_texts_fit(api: Client, ada: Headers, add_task: AddTask) -> None:
    """200 emoji are a title and 1000 a description; they come back as they went in."""
    task = await add_task(ada, title="🧪" * 200, description="🧪" * 1000)
    shown = (await api.get(f"/tasks/{task['id']}", headers=ada)).json()
    assert (shown["title"], shown["description"]) == ("🧪" * 200, "🧪" * 1000)
