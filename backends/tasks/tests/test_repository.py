"""The statements: that PostgreSQL answers them by the indexes that were made for them."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from sqlalchemy import text

from bedplate.database import Database

AddTask = Callable[..., Awaitable[dict[str, Any]]]

ON_POSTGRESQL = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
PAGE = """
    SELECT id FROM tasks WHERE user_id = '{owner}' {condition}
    ORDER BY created_at DESC, id DESC LIMIT 101
"""


@ON_POSTGRESQL
@pytest.mark.parametrize(
    ("condition", "index"),
    [
        ("", "tasks_user_id_created_at_id_idx"),
        ("AND (created_at, id) < (now(), 5)", "tasks_user_id_created_at_id_idx"),
        ("AND completed = true", "tasks_user_id_completed_created_at_id_idx"),
    ],
    ids=["first page", "further page", "by completion"],
)
async def test_a_page_comes_in_the_order_of_an_index(
    ada: dict[str, str], add_task: AddTask, add_many: Callable[[str, int], Awaitable[None]],
    database: Database, condition: str, index: str,
) -> None:  # fmt: skip
    """Whatever the number of tasks, a page is read from one index, and nothing is sorted."""
    task = await add_task(ada)
    for _ in range(5):
        await add_many(task["user_id"], 1000)
    statement = PAGE.format(owner=task["user_id"], condition=condition)
    async with database.engine.connect() as connection:
        await connection.execute(text("ANALYZE tasks"))
        rows = await connection.execute(text(f"EXPLAIN {statement}"))
        plan = "\n".join(row[0] for row in rows)
    assert index in plan
    assert "Sort" not in plan
