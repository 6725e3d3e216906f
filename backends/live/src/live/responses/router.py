"""HTTP: paths, status codes, summaries. No SQL, no rules."""

from uuid import UUID

from fastapi import APIRouter

from bedplate.database.dependencies import ReadSession
from bedplate.openapi import errors
from live.activities.exceptions import ActivityNotFound
from live.events.wiring import CurrentPresence
from live.exceptions import ParticipantRemoved, SessionCompleted, WrongState, WrongToken
from live.responses import service
from live.responses.exceptions import AlreadyAnswered, NotAnswered, UnknownItem, WordsRefused
from live.responses.schemas import Response, ResponsePut
from live.responses.wiring import CurrentResponses, CurrentVoter

router = APIRouter(prefix="/api/v1/activities/{activity_id}/responses", tags=["responses"])
REFUSALS = errors(ActivityNotFound, WrongToken, ParticipantRemoved)


@router.put(
    "",
    responses=REFUSALS
    | errors(WrongState, AlreadyAnswered, SessionCompleted, WordsRefused, UnknownItem),
    summary="Answer",
)
async def put_response(
    activity_id: UUID,
    sent: ResponsePut,
    voter: CurrentVoter,
    responses: CurrentResponses,
    presence: CurrentPresence,
) -> Response:
    """Store one's answer when it is durable; sent again, it is the same answer."""
    stored = await responses.put(voter, activity_id, sent.answer)
    presence.notice(voter.participant_id)
    return to_response(activity_id, stored)


@router.get("", responses=REFUSALS | errors(NotAnswered), summary="Get your answer")
async def get_response(activity_id: UUID, voter: CurrentVoter, session: ReadSession) -> Response:
    """Return one's own answer in the current round."""
    return to_response(activity_id, await service.own(session, voter, activity_id))


@router.delete(
    "",
    status_code=204,
    responses=REFUSALS | errors(NotAnswered, WrongState, AlreadyAnswered, SessionCompleted),
    summary="Take your answer back",
)
async def delete_response(
    activity_id: UUID,
    voter: CurrentVoter,
    responses: CurrentResponses,
    presence: CurrentPresence,
) -> None:
    """Remove one's answer, where answers may be changed."""
    await responses.retract(voter, activity_id)
    presence.notice(voter.participant_id)


def to_response(activity_id: UUID, stored: service.Stored) -> Response:
    """Return what became of an answer."""
    return Response(
        activity_id=activity_id,
        round=stored.round,
        status=stored.status,
        answer=stored.answer,
        anonymous=stored.policy.anonymous,
        secret=stored.policy.secret,
    )
