"""Opens what stores answers, and names what routes ask for."""

import contextlib
from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import Depends
from fastapi.requests import HTTPConnection

from bedplate.auth.principal import unauthorized
from bedplate.database import Database
from bedplate.database.group_commit import BATCH_BUCKETS
from bedplate.observability.metrics import RequestMetrics
from bedplate.state import from_state
from live import security
from live.events.changes import ResultChanges
from live.exceptions import WrongToken
from live.responses.service import Responses
from live.security import Member
from live.sessions.wiring import ByToken, member_of, token_of

CurrentResponses = Annotated[Responses, from_state(Responses)]


class Voter(ByToken):
    """Finds whose token a request has, without asking the database."""

    async def __call__(self, connection: HTTPConnection) -> Member:
        """Return the participant. Raises `Unauthorized`, `WrongToken`, `TooManyRequests`."""
        member = member_of(connection)
        if member is None:
            await security.rate_limit.charge_failed_proof(connection)
            raise unauthorized() if token_of(connection) is None else WrongToken
        return member


CurrentVoter = Annotated[Member, Depends(Voter())]
"""The participant whose token was sent."""


@contextlib.asynccontextmanager
async def open_responses(
    database: Database, changes: ResultChanges, metrics: RequestMetrics
) -> AsyncIterator[Responses]:
    """Yield what stores answers; at the end, what waits is stored."""
    batches = metrics.histogram(
        "live_batch_answers", "Answers that one transaction stored", buckets=BATCH_BUCKETS
    )
    async with Responses(
        database, changed=changes.tell, observe_batch=batches.observe
    ) as responses:

        def waiting() -> dict[tuple[str, ...], float]:
            return {(): responses.waiting}

        metrics.register_gauge(
            "live_waiting_answers", "Answers that wait to be stored", [], waiting
        )
        yield responses
