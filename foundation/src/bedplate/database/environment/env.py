"""Alembic's environment for every backend: it is handed an open connection, never a URL."""

from typing import Any

from alembic import context

attributes: dict[str, Any] = context.config.attributes


def _owned(name: str | None, kind: str, _: Any) -> bool:
    """Leave tables alone that belong to somebody else."""
    return kind != "table" or name in attributes["metadata"].tables


context.configure(
    connection=attributes["connection"],
    target_metadata=attributes["metadata"],
    version_table=attributes["version_table"],
    include_name=_owned,
    render_as_batch=attributes["connection"].dialect.name == "sqlite",
    compare_type=True,
)
with context.begin_transaction():
    context.run_migrations()
