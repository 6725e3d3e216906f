"""What gets its number from the sequence service: stored first, and unseen until it has it.

    1  the row is stored without a number, in a transaction of its own
    2  the sequence service is asked, while no transaction and no connection waits
    3  the number is stored: from now on the row is seen

Whoever reads asks for rows with a number only. When 2 fails, the row is deleted. A process that is
killed in between leaves a row that nobody sees; `sweeping` deletes it later. An identifier is never
given out twice (AUTOINCREMENT), so a number that was given out for a row that is gone can't become
another row's.
"""

import contextlib
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

from sqlalchemy import Table, bindparam, delete, insert, update

from bedplate import clock
from bedplate.backend import OpenResource, Resources
from bedplate.clients import UpstreamUnavailable
from bedplate.clients.client import ServiceClient
from bedplate.database import Database, Statement
from bedplate.problems import ServiceUnavailable
from bedplate.settings import Settings
from fountain import sequence

SWEEP_SECONDS = 60.0
UNFINISHED_FOR = timedelta(minutes=10)
"""No request takes as long; if one did all the same, it would find its row gone and answer 503."""


class Numbered:
    """A table whose rows get a number: it has `id`, `sequence_number` and `created_at`.

    `kind` is the elementType at the sequence service, `fields` are the columns that `store` fills.
    """

    def __init__(self, kind: str, table: Table, *fields: str) -> None:
        self.kind = kind
        filled = (*fields, "created_at")
        new: dict[str, Any] = {name: bindparam(f"new_{name}") for name in filled}
        unseen = table.c.sequence_number.is_(None)
        this = table.c.id == bindparam("identifier")
        self._add = Statement(insert(table).values(new).returning(table.c.id))
        self._number = Statement(
            update(table)
            .where(this, unseen)
            .values(sequence_number=bindparam("number"))
            .returning(table.c.id)
        )
        self._remove = Statement(delete(table).where(this, unseen))
        self._sweep = Statement(
            delete(table).where(unseen, table.c.created_at < bindparam("before"))
        )

    async def store(
        self, database: Database, service: ServiceClient, **fields: Any
    ) -> tuple[int, int]:
        """Store a row with these fields; return its identifier and its number.

        Raises `UpstreamUnavailable`, and then nothing is stored.
        """
        new = {f"new_{name}": value for name, value in fields.items()}
        async with database.write() as session:
            (row,) = await session.alone(self._add, new_created_at=clock.now(), **new)
        identifier: int = row["id"]
        try:
            number = await sequence.number(service, self.kind, identifier)
        except UpstreamUnavailable:
            # If the database is away as well, the sweep does it.
            with contextlib.suppress(ServiceUnavailable):
                await self._run(database, self._remove, identifier=identifier)
            raise
        if not await self._run(database, self._number, identifier=identifier, number=number):
            raise ServiceUnavailable("This took too long and was given up; try again.")
        return identifier, number

    async def sweep(self, database: Database) -> None:
        """Delete what a process that is gone left unfinished."""
        await self._run(database, self._sweep, before=clock.now() - UNFINISHED_FOR)

    async def _run(self, database: Database, statement: Statement, **values: Any) -> list[Any]:
        async with database.write() as session:
            return await session.alone(statement, **values)


def sweeping(*tables: Numbered) -> OpenResource:
    """Return what sweeps these tables as long as a backend runs, for `Backend.resources`.

    The tables are swept in the order given: first those that refer to others.
    """

    async def sweep(database: Database) -> None:
        for table in tables:
            await table.sweep(database)

    @contextlib.asynccontextmanager
    async def open_sweeping(_: Settings, resources: Resources) -> AsyncIterator[None]:
        database: Database = resources["database"]
        resources["jobs"].every(SWEEP_SECONDS, lambda: sweep(database), name="sweep_unnumbered")
        yield

    return open_sweeping
