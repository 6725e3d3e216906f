"""HTTP: paths, status codes, summaries. No SQL, no rules."""

from collections.abc import AsyncGenerator, AsyncIterator
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Response, WebSocket
from fastapi.requests import HTTPConnection

from bedplate.conditional import IfNoneMatch
from bedplate.lifecycle import Drain
from bedplate.openapi import errors, headers
from bedplate.problems import ProblemError
from bedplate.realtime import (
    EventStream,
    LastEventId,
    Message,
    Messages,
    Position,
    TextStream,
)
from bedplate.state import from_state
from live.events.wiring import CurrentPresence
from live.exceptions import ParticipantRemoved, SessionNotFound, WrongToken
from live.following.schemas import State
from live.following.state import States
from live.following.streams import Streams
from live.following.wiring import CurrentStates, CurrentStreams
from live.sessions.wiring import CurrentEntry, Entry, enter, member_of, subprotocol_of

router = APIRouter(prefix="/api/v1/sessions/{session_id}", tags=["events"])
REFUSALS = errors(SessionNotFound, WrongToken)
CurrentDrain = Annotated[Drain, from_state(Drain)]


async def _poller(connection: HTTPConnection, session_id: UUID, presence: CurrentPresence) -> UUID:
    """Return the session that somebody may see; a participant's token costs no statement."""
    member = member_of(connection)
    if member is not None and member.session_id == session_id:
        presence.notice(member.participant_id)
    else:
        await enter(connection, session_id)
    return session_id


@router.get(
    "/state",
    response_model=State,
    responses=REFUSALS | headers(200, "ETag") | headers(304, "ETag"),
    summary="What is it now?",
)
async def get_state(
    session_id: Annotated[UUID, Depends(_poller)], states: CurrentStates, condition: IfNoneMatch
) -> Response:
    """Return what a session is now, for those who poll: 304 while nothing has changed."""
    if condition.if_none_match is not None:
        etag = await states.etag(session_id)
        if condition.not_modified(etag):
            return Response(status_code=304, headers={"ETag": etag})
    now = await states.state(session_id)
    return Response(now.body, headers={"ETag": now.etag}, media_type="application/json")


@router.get(
    "/events",
    response_class=EventStream,
    responses=REFUSALS | errors(ParticipantRemoved),
    summary="Follow a session",
)
async def follow_events(
    entry: CurrentEntry, streams: CurrentStreams, states: CurrentStates, last: LastEventId
) -> EventStream:
    """Stream what happens as server-sent events; who comes back gets what they missed.

    It begins with `state` for a new client, and for one that was away for too long.
    """
    return EventStream(_frames(entry, streams, states, last))


@router.websocket("/ws")
async def follow_socket(
    socket: WebSocket,
    entry: CurrentEntry,
    streams: CurrentStreams,
    states: CurrentStates,
    last: LastEventId,
    drain: CurrentDrain,
) -> None:
    """Stream the same over a WebSocket, a JSON text for each event."""
    await socket.accept(subprotocol_of(socket))
    texts = _texts(entry, streams, states, last)
    await TextStream(socket, texts, drain=drain).serve()


async def _frames(
    entry: Entry, streams: Streams, states: States, last: Position | None
) -> AsyncIterator[bytes]:
    async for messages in messages_of(entry, streams, states, last):
        yield messages.sse


async def _texts(
    entry: Entry, streams: Streams, states: States, last: Position | None
) -> AsyncGenerator[str, None]:
    async for messages in messages_of(entry, streams, states, last):
        for text in messages.texts:
            yield text


async def messages_of(
    entry: Entry, streams: Streams, states: States, last: Position | None
) -> AsyncGenerator[Messages, None]:
    """Yield what somebody gets, with the state wherever events may be missing.

    It ends where the state can't be read: who comes back is answered why, or gets the state.
    """
    async with streams.follow(entry.session_id, entry.audience, entry.key, last) as follower:
        if not follower.recovered:
            # The position comes first: what happens while the state is read follows it.
            position = follower.position
            state = await _state_of(entry, states)
            if state is None:
                return
            yield Messages((Message("state", state, position),))
        async for messages in follower:
            yield messages
            if any(message.event in {"lost", "resync"} for message in messages.items):
                state = await _state_of(entry, states)
                if state is None:
                    return
                yield Messages((Message("state", state),))


async def _state_of(entry: Entry, states: States) -> bytes | None:
    """Return the state, or None when the session is deleted or the database is away.

    The response has begun, so an error is nobody's answer any more.
    """
    try:
        return (await states.state(entry.session_id)).body
    except ProblemError:
        return None
