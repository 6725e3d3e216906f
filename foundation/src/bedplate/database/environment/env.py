"""Alembic's environment for every backend: it is handed an open connection, never a URL."""

from typing import Any, Literal

from alembic import context

attributes: dict[str, Any] = context.config.attributes


def _import_its_module(kind: str, item: Any, autogenerate: Any) -> Literal[False]:
    """Let a migration import the column types that are not SQLAlchemy's own."""
    module = type(item).__module__
    if kind == "type" and module.partition(".")[0] != "sqlalchemy":
        autogenerate.imports.add(f"import {module}")
    return False


context.configure(
    connection=attributes["connection"],
    target_metadata=attributes["metadata"],
    version_table=attributes["version_table"],
    include_name=attributes["owns"],
    include_schemas=any(table.schema for table in attributes["metadata"].tables.values()),
    render_as_batch=attributes["connection"].dialect.name == "sqlite",
    render_item=_import_its_module,
    compare_type=True,
)
with context.begin_transaction():
    context.run_migrations()
