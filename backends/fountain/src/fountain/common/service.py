"""Creates rows that get their number from the sequence service.

    1  the row is stored without a number, in a transaction of its own
    2  the sequence service is asked, while no transaction and no connection waits
    3  the number is stored: from now on the row is visible

Readers select only rows with a number. When step 2 fails, the row is deleted. A process that is
killed in between leaves an invisible row, which `delete_unfinished` deletes later. No identifier is
used twice (AUTOINCREMENT), so the number of a deleted row can't become another row's.
"""

import contextlib
from datetime import timedelta
from typing import Any

from bedplate import clock
from bedplate.clients import UpstreamUnavailable
from bedplate.clients.client import ServiceClient
from bedplate.database import Database
from bedplate.problems import ServiceUnavailable
from fountain.common import sequence
from fountain.common.repository import NumberedTable

UNFINISHED_AFTER = timedelta(minutes=10)
"""No request takes as long. One that did would find its row deleted, and answer 503."""


async def create(
    table: NumberedTable, database: Database, service: ServiceClient, **fields: Any
) -> tuple[int, int]:
    """Store a row with these fields; return its identifier and its number.

    Raises `UpstreamUnavailable`: then nothing is stored.
    """
    async with database.autocommit() as session:
        identifier = await table.add(session, clock.now(), **fields)
    try:
        number = await sequence.number_of(service, table.kind, identifier)
    except UpstreamUnavailable:
        # When the database is down as well, `delete_unfinished` deletes the row.
        with contextlib.suppress(ServiceUnavailable):
            async with database.autocommit() as session:
                await table.delete_unnumbered(session, identifier)
        raise
    async with database.autocommit() as session:
        numbered = await table.set_number(session, identifier, number)
    if not numbered:
        raise ServiceUnavailable("This took too long and was given up; try again.")
    return identifier, number


async def delete_unfinished(database: Database, *tables: NumberedTable) -> None:
    """Delete what killed processes left without a number; first the tables that refer to others."""
    for table in tables:
        async with database.autocommit() as session:
            await table.delete_old_unnumbered(session, clock.now() - UNFINISHED_AFTER)
