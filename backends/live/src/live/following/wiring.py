"""Opens the streams, and names what routes ask for."""

import contextlib
from collections.abc import AsyncIterator
from typing import Annotated

from bedplate.database import Database
from bedplate.jobs.background import Jobs
from bedplate.realtime import Channels
from bedplate.state import from_state
from live.following.state import States
from live.following.streams import Streams
from live.settings import LiveSettings

CurrentStates = Annotated[States, from_state(States)]
CurrentStreams = Annotated[Streams, from_state(Streams)]


@contextlib.asynccontextmanager
async def open_states(database: Database) -> AsyncIterator[States]:
    """Yield what reads the states of sessions."""
    yield States(database)


@contextlib.asynccontextmanager
async def open_streams(
    settings: LiveSettings, channels: Channels, jobs: Jobs
) -> AsyncIterator[Streams]:
    """Yield what gives streams their followers."""
    yield Streams(channels, jobs, shared=settings.redis_url is not None)
