"""POST /tasks/bulk-delete: many tasks of one user, in one statement."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from fastapi import FastAPI
from prometheus_client import CollectorRegistry

from bedplate.application import create_app
from bedplate.database import Database, Statement
from bedplate.testing.client import Client, client
from bedplate.testing.problems import ProblemOf
from tasks.backend import backend
from tasks.settings import TasksSettings

Headers = dict[str, str]
AddTask = Callable[..., Awaitable[dict[str, Any]]]
Stored = Callable[[], Awaitable[list[dict[str, Any]]]]

PATH = "/tasks/bulk-delete"
NO_IDS: tuple[object, ...] = (
    {"ids": list(range(1, 1002))},
    {"ids": []},
    *({"ids": ids} for ids in (None, {"1": 1}, 1, "1", True)),
    *({"ids": [task_id]} for task_id in (0, -1, 2**63, True, "1", 1.5, None, [1])),
    {},
    [1],
    {"ids": [1], "all": True},
)


class CountingDatabase(Database):
    """A database that remembers which statements were run on it."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.statements: list[str] = []

    async def run(
        self, connection: Any, statement: Statement, parameters: dict[str, Any]
    ) -> list[dict[str, Any]]:
        """Run a statement, and remember it."""
        self.statements.append(statement.compiled(self.dialect).text)
        return await super().run(connection, statement, parameters)


@pytest.fixture
def counting_database(settings: TasksSettings) -> CountingDatabase:
    """Give the database that counts."""
    return CountingDatabase.open(settings)


@pytest.fixture
def counted_app(settings: TasksSettings, counting_database: CountingDatabase) -> FastAPI:
    """Give the API on the database that counts."""
    return create_app(
        backend,
        settings,
        registry=CollectorRegistry(),
        replacements={"database": counting_database},
    )


async def test_it_says_what_became_of_each_id(
    api: Client, ada: Headers, grace: Headers, add_task: AddTask, stored: Stored
) -> None:
    """One's own are deleted; others' and missing ones are not found; each comes once, in order."""
    first, second, kept = [(await add_task(ada))["id"] for _ in range(3)]
    theirs = (await add_task(grace))["id"]
    ids = [second, theirs, first, second, 2**63 - 1, theirs]
    response = await api.post(PATH, json={"ids": ids}, headers=ada)
    assert response.status_code == 200
    assert response.json() == {"deleted": [second, first], "not_found": [theirs, 2**63 - 1]}
    assert [row["id"] for row in await stored()] == [kept, theirs]


async def test_a_thousand_ids_are_one_statement(
    counted_app: FastAPI, counting_database: CountingDatabase, ada: Headers
) -> None:
    """1000 ids cost one DELETE, beside the one query for the session."""
    async with counting_database, client(counted_app) as api:
        task = (await api.post("/tasks", json={"title": "Milk"}, headers=ada)).json()
        counting_database.statements.clear()
        ids = list(range(task["id"], task["id"] + 1000))
        response = await api.post(PATH, json={"ids": ids}, headers=ada)
    assert response.json() == {"deleted": ids[:1], "not_found": ids[1:]}
    # The hourly deletion of expired keys may come in between.
    own = [text for text in counting_database.statements if "idempotency" not in text]
    assert [text.split()[0] for text in own] == ["SELECT", "DELETE"]


async def test_other_bodies_are_refused(
    api: Client, ada: Headers, add_task: AddTask, stored: Stored, problem_of: ProblemOf,
    subtests: pytest.Subtests,
) -> None:  # fmt: skip
    """1001 ids, none, and what is no list of 64-bit ids is a 400, and nothing is deleted."""
    await add_task(ada)
    for body in NO_IDS:
        with subtests.test(body=str(body)[:30]):
            problem_of(await api.post(PATH, json=body, headers=ada), 400)
    assert len(await stored()) == 1
