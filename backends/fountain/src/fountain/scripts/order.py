"""The order of headings: the sequence service owns their numbers, a script keeps a copy of them.

The copy is what lists and structures show, so they need nobody else. A reorder goes so:

    1  the script notes that its copy is to be read again in a minute, whatever comes of this
    2  the sequence service reorders, in one transaction of its own: all or nothing
    3  the numbers of all headings are read from it, at one moment, and stored

No transaction waits for the network. When the service is away in 2 or 3 the answer is 503, and the
copy shows the order from before. When this process is killed, or an answer is lost, the note is
left: `rechecking` reads the numbers as soon as they can be had, so the copy follows what the
service did. Copies bear tickets, taken before the numbers are read. A copy is dropped when one with
a later ticket is stored already: that one has read what this one has, or newer.
"""

import contextlib
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta

from pydantic import MISSING

from bedplate import clock
from bedplate.backend import OpenResource, Resources
from bedplate.clients import UpstreamRefused
from bedplate.clients.client import ServiceClient
from bedplate.database import Database
from bedplate.problems import ServiceUnavailable
from bedplate.settings import Settings
from fountain import sequence
from fountain.scripts import repository
from fountain.scripts.exceptions import ReorderRefused, ScriptNotFound
from fountain.scripts.repository import HEADINGS
from fountain.scripts.schemas import Element

RECHECK_AFTER = timedelta(minutes=1)
"""No reorder takes as long: none is under way when its numbers are read again."""
RECHECK_SECONDS = 15.0
_BAD_REQUEST = 400


async def reorder(
    database: Database, service: ServiceClient, script_id: int, elements: Sequence[Element]
) -> None:
    """Let headings of a script exchange their numbers.

    Raises `ScriptNotFound`, `ReorderRefused`: nothing has changed. Raises `UpstreamUnavailable`:
    the order may have changed all the same; the lists show it as soon as that is known.
    """
    wanted = _wanted(elements)
    await _begin(database, script_id, wanted)
    try:
        await sequence.reorder(service, HEADINGS.kind, wanted)
    except UpstreamRefused as refusal:
        if refusal.answered != _BAD_REQUEST:
            raise
        raise ReorderRefused(refusal.reason) from None
    await copy_numbers(database, service, script_id)


def _wanted(elements: Sequence[Element]) -> dict[int, int]:
    wanted: dict[int, int] = {}
    for element in elements:
        if element.heading_id is MISSING or element.new_sequence is MISSING:
            raise ReorderRefused("Each element needs its headingId and its newSequence.")
        if element.heading_id in wanted:
            raise ReorderRefused("A heading is listed twice.")
        wanted[element.heading_id] = element.new_sequence
    return wanted


async def _begin(database: Database, script_id: int, wanted: dict[int, int]) -> None:
    async with database.write() as session:
        recheck_at = clock.now() + RECHECK_AFTER
        if not await repository.begin_reorder(session, script_id, recheck_at):
            raise ScriptNotFound
        its = {row["id"] for row in await repository.headings(session, script_id)}
        if not its >= wanted.keys():
            raise ReorderRefused("A heading is listed that the script doesn't have.")


async def copy_numbers(database: Database, service: ServiceClient, script_id: int) -> None:
    """Store the numbers that the headings of a script hold. Raises `UpstreamUnavailable`."""
    async with database.write() as session:
        ticket = await repository.begin_copy(session, script_id)
    its = [row["id"] for row in await repository.headings(database.read(), script_id)]
    numbers = await sequence.numbers(service, HEADINGS.kind, its)
    async with database.write() as session:
        await repository.store_copy(session, script_id, ticket, numbers)


async def recheck(database: Database, service: ServiceClient) -> None:
    """Read the numbers again of all scripts that noted it and are due; stop when that fails."""
    with contextlib.suppress(ServiceUnavailable):
        for due in await repository.rechecks_due(database.read(), clock.now()):
            await copy_numbers(database, service, due["id"])
            async with database.write() as session:
                await repository.end_recheck(session, due["id"], due["recheck_at"])


@contextlib.asynccontextmanager
async def _open_rechecking(_: Settings, resources: Resources) -> AsyncIterator[None]:
    database, service = resources["database"], resources["sequence"]
    resources["jobs"].every(
        RECHECK_SECONDS, lambda: recheck(database, service), name="recheck_numbers"
    )
    yield


rechecking: OpenResource = _open_rechecking
"""Reads numbers again as long as the backend runs, for `Backend.resources`."""
