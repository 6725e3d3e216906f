"""Opens the events, and names what routes ask for."""

import contextlib
from collections.abc import AsyncIterator
from typing import Annotated

from bedplate.realtime import Channels
from bedplate.state import from_state
from live.events.changes import ResultChanges
from live.events.presence import Presence
from live.events.service import Events
from live.security import HOST
from live.settings import LiveSettings

CurrentChanges = Annotated[ResultChanges, from_state(ResultChanges)]
CurrentEvents = Annotated[Events, from_state(Events)]
CurrentPresence = Annotated[Presence, from_state(Presence)]


@contextlib.asynccontextmanager
async def open_channels(settings: LiveSettings) -> AsyncIterator[Channels]:
    """Yield the channels: through Redis or Valkey where the settings name one."""
    url = settings.redis_url
    async with Channels(
        url.get_secret_value() if url else None, namespace="live", fast=[HOST]
    ) as channels:
        yield channels


@contextlib.asynccontextmanager
async def open_events(channels: Channels) -> AsyncIterator[Events]:
    """Yield what publishes events."""
    yield Events(channels)


@contextlib.asynccontextmanager
async def open_changes(events: Events) -> AsyncIterator[ResultChanges]:
    """Yield what passes on that results changed."""
    yield events.results


@contextlib.asynccontextmanager
async def open_presence() -> AsyncIterator[Presence]:
    """Yield what remembers who did something."""
    yield Presence()
