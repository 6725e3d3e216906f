"""HTTP: paths, status codes, summaries. No SQL, no rules."""

from fastapi import APIRouter

from bedplate.database.dependencies import ReadSession, WriteSession
from bedplate.openapi import errors
from live.events.wiring import CurrentEvents, CurrentPresence
from live.exceptions import (
    ParticipantRemoved,
    SessionCompleted,
    SessionNotFound,
    WrongState,
    WrongToken,
)
from live.sessions.wiring import CurrentMember, CurrentModerator
from live.tempo import service
from live.tempo.schemas import TempoCounts, TempoVote
from live.tempo.wiring import CurrentTempoVotes

router = APIRouter(prefix="/api/v1/sessions/{session_id}/tempo", tags=["tempo"])
REFUSALS = errors(SessionNotFound, WrongToken)


@router.put(
    "",
    responses=REFUSALS | errors(ParticipantRemoved, SessionCompleted, WrongState),
    summary="Is it too fast?",
)
async def put_tempo(
    member: CurrentMember,
    vote: TempoVote,
    votes: CurrentTempoVotes,
    presence: CurrentPresence,
) -> TempoVote:
    """Say how fast it goes, at any time; only hosts see how many say what, never who."""
    await votes.put(member.session_id, service.Vote(member.participant_id, vote.tempo))
    presence.notice(member.participant_id)
    return vote


@router.get("", responses=REFUSALS, summary="How many say what?")
async def get_tempo(entry: CurrentModerator, session: ReadSession) -> TempoCounts:
    """Return how many of those who are in the session say what of its tempo."""
    return TempoCounts(**await service.counts(session, entry.session_id))


@router.delete(
    "",
    status_code=204,
    responses=REFUSALS | errors(SessionCompleted, WrongState),
    summary="Ask anew",
)
async def clear_tempo(
    entry: CurrentModerator, session: WriteSession, events: CurrentEvents
) -> None:
    """Take all votes back, as for the next part of a talk."""
    await service.clear(session, events, entry.session_id)
