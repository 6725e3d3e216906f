"""Opens what lets people in, and names what routes ask for."""

import contextlib
from collections.abc import AsyncIterator
from typing import Annotated

from bedplate.database import Database
from bedplate.database.group_commit import BATCH_BUCKETS
from bedplate.observability.metrics import RequestMetrics
from bedplate.state import from_state
from live.events.service import Events
from live.participants.service import Participants
from live.security import ParticipantTokens
from live.settings import LiveSettings

CurrentParticipants = Annotated[Participants, from_state(Participants)]
CurrentTokens = Annotated[ParticipantTokens, from_state(ParticipantTokens)]


@contextlib.asynccontextmanager
async def open_tokens(settings: LiveSettings) -> AsyncIterator[ParticipantTokens]:
    """Yield what makes and reads participants' tokens."""
    yield ParticipantTokens(settings.token_secret)


@contextlib.asynccontextmanager
async def open_participants(
    database: Database, events: Events, metrics: RequestMetrics
) -> AsyncIterator[Participants]:
    """Yield what lets people in; at the end, what waits is stored."""
    batches = metrics.histogram(
        "live_batch_joins", "Joins that one transaction stored", buckets=BATCH_BUCKETS
    )
    async with Participants(database, events, observe_batch=batches.observe) as participants:
        yield participants
