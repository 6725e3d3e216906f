"""Alembic's environment for every backend: it is handed an open connection, never a URL."""

from collections.abc import Iterator
from typing import Any, Literal

from alembic import context
from alembic.operations.ops import AddConstraintOp, DropConstraintOp
from alembic.util.exc import CommandError

attributes: dict[str, Any] = context.config.attributes


def _import_its_module(kind: str, item: Any, autogenerate: Any) -> Literal[False]:
    """Let a migration import the column types that are not SQLAlchemy's own."""
    module = type(item).__module__
    if kind == "type" and module.partition(".")[0] != "sqlalchemy":
        autogenerate.imports.add(f"import {module}")
    return False


def _refuse_nameless_constraints(_: Any, __: Any, directives: list[Any]) -> None:
    """Refuse to add or drop a constraint that has no name: such a migration can't run."""
    for script in directives:
        for table in _tables_with_nameless_constraints(script.upgrade_ops):
            raise CommandError(
                f"A constraint of the table {table} has no name, so no migration can add or "
                "drop it: make the metadata with MetaData(naming_convention=NAMING_CONVENTION) of "
                "bedplate.database, or name the constraint."
            )


def _tables_with_nameless_constraints(operations: Any) -> Iterator[str]:
    for operation in operations.ops:
        if hasattr(operation, "ops"):
            yield from _tables_with_nameless_constraints(operation)
        elif (
            isinstance(operation, AddConstraintOp | DropConstraintOp)
            and getattr(operation, "constraint_name", None) is None
        ):
            yield getattr(operation, "table_name", getattr(operation, "source_table", "?"))


context.configure(
    connection=attributes["connection"],
    target_metadata=attributes["metadata"],
    version_table=attributes["version_table"],
    include_name=attributes["owns"],
    include_schemas=any(table.schema for table in attributes["metadata"].tables.values()),
    # On PostgreSQL a batch is plain ALTERs; without it SQLite couldn't run what is written there.
    render_as_batch=True,
    process_revision_directives=_refuse_nameless_constraints,
    render_item=_import_its_module,
    compare_type=True,
)
with context.begin_transaction():
    context.run_migrations()
