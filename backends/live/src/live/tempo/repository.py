"""The statements on tempo votes. Only here is SQL written for them."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import bindparam, delete, func, select

from bedplate.database import GUID, AnyOf, ReadSession, Row, Statement, WriteSession
from bedplate.database.bulk_insert import BulkInsert
from live.models.participants import Participant
from live.models.tempo import TempoVote

_IN_SESSION = TempoVote.session_id == bindparam("of", type_=GUID)

_PUT = BulkInsert(TempoVote, conflict=["participant_id"], replace=["tempo", "changed_at"])
_REMOVE = Statement(
    delete(TempoVote)
    .where(AnyOf(TempoVote.participant_id, "ids"))
    .returning(TempoVote.participant_id)
)
_CLEAR = Statement(delete(TempoVote).where(_IN_SESSION).returning(TempoVote.participant_id))
_COUNT = Statement(
    select(TempoVote.tempo, func.count().label("count"))
    .join(Participant, Participant.id == TempoVote.participant_id)
    .where(_IN_SESSION, Participant.state == "joined")
    .group_by(TempoVote.tempo)
)


async def put(session: WriteSession, votes: Sequence[Row]) -> None:
    """Store votes, at most one of each participant, in place of what they said before."""
    await session.insert(_PUT, votes)


async def remove(session: WriteSession, participants: Sequence[UUID]) -> None:
    """Take the votes of participants back."""
    await session.all(_REMOVE, ids=sorted(participants))


async def clear(session: WriteSession, session_id: UUID) -> None:
    """Take all votes of a session back."""
    await session.all(_CLEAR, of=session_id)


async def counts(session: ReadSession, session_id: UUID) -> dict[str, int]:
    """Return how many of those who are in a session say what, without those that nobody says."""
    return {row["tempo"]: row["count"] for row in await session.all(_COUNT, of=session_id)}
