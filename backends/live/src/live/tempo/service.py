"""The rules of the tempo channel. Nothing here knows requests and responses."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self
from uuid import UUID

from bedplate import clock
from bedplate.database import Database, ReadSession, WriteSession
from bedplate.database.group_commit import GroupCommit
from bedplate.problems import ProblemError
from live.events.service import Events
from live.exceptions import ParticipantRemoved, SessionNotFound
from live.participants import repository as participants
from live.security import HOST
from live.sessions import repository as sessions
from live.sessions.service import check_active
from live.tempo import repository
from live.tempo.schemas import TEMPOS, Tempo


@dataclass(frozen=True, slots=True)
class Vote:
    """What a participant says; None takes it back."""

    participant_id: UUID
    tempo: Tempo | None


class TempoVotes:
    """Stores what people say of the tempo; many at once share a transaction.

    A context manager: on leaving it, what waits is stored.
    """

    def __init__(self, database: Database, events: Events) -> None:
        self._events = events
        self._group: GroupCommit[UUID, Vote, None] = GroupCommit(database, self._store)

    async def __aenter__(self) -> Self:
        await self._group.__aenter__()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._group.__aexit__()

    async def put(self, session_id: UUID, vote: Vote) -> None:
        """Store a participant's vote in place of the one before.

        Raises `SessionNotFound`, `SessionCompleted`, `WrongState`, `ParticipantRemoved`,
        `QueueFull`, `DatabaseUnavailable`.
        """
        await self._group.submit(session_id, vote)

    async def _store(
        self, session: WriteSession, session_id: UUID, votes: Sequence[Vote]
    ) -> list[Exception | None]:
        """Store what waits of a session: see `GroupCommit`."""
        await _take_turns(session, session_id)
        found = await sessions.get(session, session_id)
        try:
            if found is None:
                raise SessionNotFound
            check_active(found)
        except ProblemError as error:
            return [error for _ in votes]
        people = {vote.participant_id for vote in votes}
        states = await participants.states(session, list(people))
        latest = {
            vote.participant_id: vote.tempo
            for vote in votes
            if states.get(vote.participant_id) == "joined"
        }
        now = clock.now()
        new = [
            {"participant_id": who, "session_id": session_id, "tempo": tempo, "changed_at": now}
            for who, tempo in latest.items()
            if tempo is not None
        ]
        await repository.put(session, new)
        await repository.remove(session, [who for who, tempo in latest.items() if tempo is None])
        await _show(session, self._events, session_id)
        return [_refusal(states.get(vote.participant_id)) for vote in votes]


def _refusal(state: str | None) -> ParticipantRemoved | None:
    return None if state == "joined" else ParticipantRemoved(state or "removed")


async def clear(session: WriteSession, events: Events, session_id: UUID) -> None:
    """Take all votes of a session back, for those who ask anew. Raises as `check_active`."""
    await _take_turns(session, session_id)
    found = await sessions.get(session, session_id)
    if found is None:
        raise SessionNotFound
    check_active(found)
    await repository.clear(session, session_id)
    await _show(session, events, session_id)


async def counts(session: ReadSession, session_id: UUID) -> dict[str, int]:
    """Return how many say what, for each tempo."""
    return dict.fromkeys(TEMPOS, 0) | await repository.counts(session, session_id)


async def _take_turns(session: WriteSession, session_id: UUID) -> None:
    """Let those who change the votes of a session take turns: the last one counts all of them."""
    await session.lock(f"live_tempo/{session_id}")


async def _show(session: WriteSession, events: Events, session_id: UUID) -> None:
    """Show the hosts what is said now, once the transaction is committed."""
    data = {HOST: await counts(session, session_id)}
    version = int(clock.now().timestamp() * 1_000_000)
    session.after_commit(lambda: events.show(session_id, "tempo", "tempo", version, data))
