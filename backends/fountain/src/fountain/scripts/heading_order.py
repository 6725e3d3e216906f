"""The order of headings: the sequence service owns their numbers, a script has a copy of them.

Lists and structures show the copy, so they need no other service. A reorder takes three steps:

    1  the script notes that its copy must be read again in a minute, whatever happens now
    2  the sequence service reorders, in one transaction of its own: all or nothing
    3  the numbers of all headings are read from it, at one moment, and stored

No transaction waits for the network. When the service is down in step 2 or 3 the answer is 503, and
the copy has the old order. When this process is killed, or an answer is lost, the note remains:
`recheck` reads the numbers as soon as it can, so the copy follows what the service did. Each copy
takes a ticket before its numbers are read. A copy is dropped when one with a later ticket is stored
already, since that one has the same numbers or newer ones.
"""

import contextlib
from collections.abc import Sequence
from datetime import timedelta
from http import HTTPStatus

from pydantic import MISSING

from bedplate import clock
from bedplate.clients import UpstreamRefused
from bedplate.clients.client import ServiceClient
from bedplate.database import Database
from bedplate.problems import ServiceUnavailable
from fountain.common import sequence
from fountain.scripts import repository
from fountain.scripts.exceptions import ReorderRefused, ScriptNotFound
from fountain.scripts.repository import HEADINGS
from fountain.scripts.schemas import Element

RECHECK_AFTER = timedelta(minutes=1)
"""No reorder takes as long: none is under way when its numbers are read again."""


async def reorder(
    database: Database, service: ServiceClient, script_id: int, elements: Sequence[Element]
) -> None:
    """Exchange the numbers of headings of a script.

    Raises `ScriptNotFound` and `ReorderRefused`: nothing has changed. Raises `UpstreamUnavailable`:
    the order may have changed; the lists show it as soon as that is known.
    """
    numbers = _new_numbers(elements)
    async with database.write() as session:
        if not await repository.begin_reorder(session, script_id, clock.now() + RECHECK_AFTER):
            raise ScriptNotFound
        heading_ids = {row["id"] for row in await repository.headings(session, script_id)}
        if not numbers.keys() <= heading_ids:
            raise ReorderRefused("A heading is listed that the script doesn't have.")
    try:
        await sequence.reorder(service, HEADINGS.kind, numbers)
    except UpstreamRefused as refusal:
        if refusal.answered != HTTPStatus.BAD_REQUEST:
            raise
        raise ReorderRefused(refusal.reason) from None
    await copy_numbers(database, service, script_id)


def _new_numbers(elements: Sequence[Element]) -> dict[int, int]:
    numbers: dict[int, int] = {}
    for element in elements:
        if element.heading_id is MISSING or element.new_sequence is MISSING:
            raise ReorderRefused("Each element needs its headingId and its newSequence.")
        if element.heading_id in numbers:
            raise ReorderRefused("A heading is listed twice.")
        numbers[element.heading_id] = element.new_sequence
    return numbers


async def copy_numbers(database: Database, service: ServiceClient, script_id: int) -> None:
    """Store the current numbers of a script's headings. Raises `UpstreamUnavailable`."""
    async with database.autocommit() as session:
        ticket = await repository.begin_copy(session, script_id)
    heading_ids = [row["id"] for row in await repository.headings(database.read(), script_id)]
    numbers = await sequence.numbers_of(service, HEADINGS.kind, heading_ids)
    async with database.write() as session:
        await repository.store_copy(session, script_id, ticket, numbers)


async def recheck(database: Database, service: ServiceClient) -> None:
    """Read the numbers again for all scripts whose note is due; stop at the first failure."""
    with contextlib.suppress(ServiceUnavailable):
        for due in await repository.rechecks_due(database.read(), clock.now()):
            await copy_numbers(database, service, due["id"])
            async with database.autocommit() as session:
                await repository.end_recheck(session, due["id"], due["recheck_at"])
