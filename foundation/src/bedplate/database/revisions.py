"""Whether a database stands at the newest migration, without Alembic.

At most starts nothing is to be migrated, and importing Alembic takes 10 MB and 0.1 s.
"""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, column, inspect, select, table
from sqlalchemy.ext.asyncio import AsyncEngine


def version_table(name: str) -> str:
    """Return the table that remembers which migrations of a backend ran."""
    return f"{name}_alembic_version"


async def is_current(engine: AsyncEngine, name: str, folder: Path) -> bool:
    """Return whether a backend's database stands at the newest migration of its folder.

    False also when that takes Alembic to say: when the folder has several newest ones, or a file of
    another form.
    """
    newest = newest_revision(folder)
    if newest is None:
        return False
    async with engine.connect() as connection:
        return await connection.run_sync(_revisions, version_table(name)) == [newest]


def newest_revision(folder: Path) -> str | None:
    """Return the migration that no other follows; None unless there is exactly one.

    Read from the source texts: `revision = "…"` and `down_revision = "…"`.
    """
    revisions: set[str] = set()
    followed: set[str] = set()
    for path in folder.glob("*.py"):
        try:
            values = dict(_constants(ast.parse(path.read_bytes())))
            revisions.add(values["revision"])
            before = values["down_revision"]
        except (KeyError, SyntaxError, ValueError):
            return None
        followed.update((before,) if isinstance(before, str) else before or ())
    newest = revisions - followed
    return newest.pop() if len(newest) == 1 else None


def _constants(module: ast.Module) -> Iterator[tuple[str, Any]]:
    for statement in module.body:
        match statement:
            case ast.Assign(
                [ast.Name("revision" | "down_revision" as name)], value
            ) | ast.AnnAssign(
                ast.Name("revision" | "down_revision" as name), _, ast.expr() as value
            ):
                yield name, ast.literal_eval(value)


def _revisions(connection: Connection, name: str) -> list[str]:
    if not inspect(connection).has_table(name):
        return []
    return list(connection.scalars(select(column("version_num")).select_from(table(name))))
