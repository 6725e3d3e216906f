"""HTTP: paths, status codes, summaries. No SQL, no rules."""

import hashlib
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Header, Query, Request, Response
from pydantic import StringConstraints

from bedplate.database import Row
from bedplate.database.dependencies import ReadSession, WriteSession
from bedplate.openapi import errors, headers
from bedplate.pagination import next_link
from bedplate.schemas import QueryBool, QueryInt
from live.events.wiring import CurrentChanges, CurrentEvents
from live.exceptions import (
    ParticipantRemoved,
    SessionCompleted,
    SessionNotFound,
    WrongState,
    WrongToken,
)
from live.participants import repository, service
from live.participants.exceptions import (
    JoinClosed,
    NicknameRefused,
    ParticipantNotFound,
    SessionFull,
)
from live.participants.schemas import (
    Join,
    Joined,
    NicknameCheck,
    NicknameWanted,
    Participant,
    ParticipantPage,
    ParticipantPatch,
    PresenceCounts,
    Removal,
)
from live.participants.wiring import CurrentParticipants, CurrentTokens
from live.responses import service as responses
from live.results import leaderboard
from live.security import Member
from live.sessions.service import normalized_code
from live.sessions.wiring import (
    CurrentCodeAttempts,
    CurrentHost,
    CurrentMember,
    CurrentModerator,
    CurrentReturning,
)

router = APIRouter(prefix="/api/v1/sessions/{session_id}/participants", tags=["participants"])
REFUSALS = errors(SessionNotFound, WrongToken)
PageSize = Annotated[int, QueryInt(1, 1000)]
Cursor = Annotated[str, StringConstraints(pattern=repository.IN_ORDER.pattern)]
IdempotencyKey = Annotated[
    # Who sends the same key gets the same token, so a key must not be guessed.
    Annotated[str, StringConstraints(pattern=r"^[\x21-\x7e]{16,255}$")] | None,
    Header(description="The same key gets the same place: a random one, such as a UUID"),
]


@router.post(
    "",
    status_code=201,
    responses=REFUSALS
    | errors(WrongState, SessionFull, JoinClosed, SessionCompleted, NicknameRefused),
    summary="Join a session",
)
async def join(
    request: Request,
    session_id: UUID,
    wanted: Join,
    participants: CurrentParticipants,
    tokens: CurrentTokens,
    attempts: CurrentCodeAttempts,
    idempotency_key: IdempotencyKey = None,
) -> Joined:
    """Take a place by the session's code; a nickname that is taken gets a number."""
    key = hashlib.sha256(idempotency_key.encode()).hexdigest() if idempotency_key else None
    code = normalized_code(wanted.code) or ""
    async with attempts.attempt(request, wanted.code, SessionNotFound, WrongToken):
        place = await participants.join(session_id, service.Join(code, wanted.nickname, key))
    return _joined(place, tokens)


@router.get("", responses=REFUSALS | headers(200, "Link"), summary="List the participants")
async def list_participants(
    request: Request,
    response: Response,
    entry: CurrentModerator,
    session: ReadSession,
    limit: Annotated[PageSize, Query()] = 100,
    cursor: Annotated[Cursor | None, Query(description="From the Link header")] = None,
    removed: Annotated[QueryBool, Query(description="Kicked and banned ones too")] = False,
) -> ParticipantPage:
    """Return a page of participants to hosts and moderators, in the order of their joining."""
    rows, next_cursor = await repository.page(
        session, entry.session_id, limit=limit, cursor=cursor, removed=removed
    )
    if next_cursor is not None:
        response.headers["Link"] = next_link(request, cursor=next_cursor)
    return ParticipantPage(items=[to_participant(row) for row in rows])


@router.post(
    "/check",
    responses=errors(SessionNotFound, SessionCompleted, NicknameRefused),
    summary="Is a nickname free?",
)
async def check_nickname(
    session_id: UUID, wanted: NicknameWanted, session: ReadSession
) -> NicknameCheck:
    """Return which nickname a join would get now. It isn't kept for anybody."""
    place = await service.check_nickname(session, session_id, wanted.nickname)
    if place is None:
        return NicknameCheck(available=False, nickname=None)
    return NicknameCheck(available=not place.renamed, nickname=place.participant["nickname"])


@router.get("/presence", responses=REFUSALS, summary="How many are there?")
async def get_presence(entry: CurrentModerator, session: ReadSession) -> PresenceCounts:
    """Return how many were there in the last 30 seconds, in the last two minutes, or before."""
    return PresenceCounts(**await service.presence(session, entry.session_id))


@router.post(
    "/rejoin",
    responses=REFUSALS | errors(SessionCompleted, WrongState, SessionFull, ParticipantRemoved),
    summary="Come back",
)
async def rejoin(
    entry: CurrentReturning,
    reads: ReadSession,
    session: WriteSession,
    participants: CurrentParticipants,
    events: CurrentEvents,
    tokens: CurrentTokens,
) -> Joined:
    """Return one's own place after a reload or another network: name and points are as before."""
    assert entry.participant is not None  # noqa: S101 - CurrentReturning
    person = entry.participant
    # Before the transaction: who waits for a second connection holds up all who wait for the lock.
    points = await leaderboard.points_of(reads, person["id"])
    place = await service.rejoin(participants, session, events, entry.session, person)
    return _joined(place, tokens, points)


@router.post(
    "/heartbeat",
    status_code=204,
    responses=REFUSALS | errors(ParticipantRemoved),
    summary="Still there",
)
async def heartbeat(member: CurrentMember, participants: CurrentParticipants) -> None:
    """Say that one is there; whoever follows the events needn't."""
    await participants.heartbeat(member.participant_id)


@router.patch(
    "/{participant_id}",
    responses=REFUSALS | errors(ParticipantNotFound, SessionCompleted),
    summary="Give a participant more time",
)
async def change_participant(
    participant_id: UUID, patch: ParticipantPatch, entry: CurrentHost, session: WriteSession
) -> Participant:
    """Set how much longer than others a participant has for an answer."""
    row = await service.set_time_factor(session, entry.session, participant_id, patch.time_factor)
    return to_participant(row)


@router.post(
    "/{participant_id}/kick",
    status_code=204,
    responses=REFUSALS | errors(ParticipantNotFound, SessionCompleted),
    summary="Kick a participant",
)
async def kick(
    participant_id: UUID,
    entry: CurrentModerator,
    session: WriteSession,
    events: CurrentEvents,
    changes: CurrentChanges,
    removal: Removal | None = None,
) -> None:
    """Remove a participant, who may come back; lift a ban. Answers stay unless removed too."""
    await _remove_answers(session, changes, entry.session_id, participant_id, removal)
    await service.remove(session, events, entry.session_id, participant_id, "kicked")


@router.post(
    "/{participant_id}/ban",
    status_code=204,
    responses=REFUSALS | errors(ParticipantNotFound, SessionCompleted),
    summary="Ban a participant",
)
async def ban(
    participant_id: UUID,
    entry: CurrentModerator,
    session: WriteSession,
    events: CurrentEvents,
    changes: CurrentChanges,
    removal: Removal | None = None,
) -> None:
    """Remove a participant, whose token is of no use until they are kicked instead."""
    await _remove_answers(session, changes, entry.session_id, participant_id, removal)
    await service.remove(session, events, entry.session_id, participant_id, "banned")


async def _remove_answers(
    session: WriteSession,
    changes: CurrentChanges,
    session_id: UUID,
    participant_id: UUID,
    removal: Removal | None,
) -> None:
    """Remove answers before the participant: those who vote hold activities first, then people."""
    if removal is not None and removal.remove_answers:
        changed = await responses.remove_answers_of(session, session_id, participant_id)
        session.after_commit(lambda: changes.tell(*changed))


def to_participant(row: Row) -> Participant:
    """Return a participant as hosts see it, from a row."""
    known = {name: row[name] for name in Participant.model_fields if name != "presence"}
    return Participant(**known, presence=service.presence_of(row))


def _joined(place: service.Place, tokens: CurrentTokens, points: int = 0) -> Joined:
    participant = place.participant
    return Joined(
        id=participant["id"],
        session_id=participant["session_id"],
        nickname=participant["nickname"],
        renamed=place.renamed,
        time_factor=participant["time_factor"],
        token=tokens.make(Member(participant["id"], participant["session_id"])),
        points=points,
    )
