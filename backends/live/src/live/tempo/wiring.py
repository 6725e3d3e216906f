"""Opens what stores tempo votes, and names what routes ask for."""

import contextlib
from collections.abc import AsyncIterator
from typing import Annotated

from bedplate.database import Database
from bedplate.state import from_state
from live.events.service import Events
from live.tempo.service import TempoVotes

CurrentTempoVotes = Annotated[TempoVotes, from_state(TempoVotes)]


@contextlib.asynccontextmanager
async def open_tempo_votes(database: Database, events: Events) -> AsyncIterator[TempoVotes]:
    """Yield what stores tempo votes; at the end, what waits is stored."""
    async with TempoVotes(database, events) as votes:
        yield votes
