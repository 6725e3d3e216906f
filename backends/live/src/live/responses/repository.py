"""The statements on answers and their counters. Only here is SQL written for them."""

from collections.abc import Collection, Mapping, Sequence
from uuid import UUID

from sqlalchemy import BigInteger, bindparam, delete, select, update

from bedplate.database import GUID, AnyOf, ReadSession, Row, Statement, WriteSession
from bedplate.database.bulk_insert import BulkInsert
from live.models.participants import Participant
from live.models.responses import Counter, Response, Round
from live.models.results import Score

_ROUND = (Round.activity_id == bindparam("of", type_=GUID)) & (
    Round.round == bindparam("number", type_=BigInteger)
)
_IN_ROUND = (Response.activity_id == bindparam("of", type_=GUID)) & (
    Response.round == bindparam("number", type_=BigInteger)
)
_COUNTED = (Counter.activity_id == bindparam("of", type_=GUID)) & (
    Counter.round == bindparam("number", type_=BigInteger)
)
_COLUMNS = (
    Response.activity_id, Response.round, Response.participant_id, Response.answer,
    Response.answered_at, Response.seconds,
)  # fmt: skip
_KEY = ["activity_id", "round", "participant_id"]

_PUT = BulkInsert(Response, conflict=_KEY, replace=["answer", "answered_at", "seconds"])
_COUNT = BulkInsert(Counter, conflict=["activity_id", "round", "key"], add=["count"])
# The key-share lock is what a foreign key takes anyway; whoever removes somebody waits for it.
_PEOPLE = Statement(
    select(Participant.id, Participant.state, Participant.time_factor)
    .where(AnyOf(Participant.id, "ids"))
    .order_by(Participant.id)
    .with_for_update(read=True, key_share=True)
)
_STATE_OF = Statement(
    select(Participant.state).where(Participant.id == bindparam("who", type_=GUID))
)
_BY_PARTICIPANTS = Statement(
    select(*_COLUMNS).where(_IN_ROUND, AnyOf(Response.participant_id, "ids"))
)
_GET = Statement(
    select(*_COLUMNS).where(_IN_ROUND, Response.participant_id == bindparam("who", type_=GUID))
)
_ALL = Statement(select(*_COLUMNS).where(_IN_ROUND).order_by(Response.participant_id))
_REMOVE = Statement(
    delete(Response)
    .where(_IN_ROUND, AnyOf(Response.participant_id, "ids"))
    .returning(Response.participant_id)
)
_OF_PARTICIPANT = Statement(
    select(Response.activity_id, Response.round)
    .where(Response.participant_id == bindparam("who", type_=GUID))
    .order_by(Response.activity_id, Response.round)
)
_COUNTS = Statement(select(Counter.key, Counter.count).where(_COUNTED, AnyOf(Counter.key, "keys")))
_ALL_COUNTS = Statement(select(Counter.key, Counter.count).where(_COUNTED))
_COUNTERS = Statement(
    select(Counter.key, Counter.label, Counter.count)
    .where(_COUNTED, Counter.count > 0)
    .order_by(Counter.key)
)
_RELEASED = Statement(
    select(Counter.key, Counter.label, Counter.released.label("count"))
    .where(_COUNTED, Counter.released > 0)
    .order_by(Counter.key)
)
_RELEASE_COUNTERS = Statement(
    update(Counter)
    .where(_COUNTED, Counter.released != Counter.count)
    .values(released=Counter.count)
    .returning(Counter.key)
)
_RELEASE_ROUND = Statement(
    update(Round).where(_ROUND).values(released=Round.stored).returning(Round.round)
)
_ADD_TO_ROUND = Statement(
    update(Round)
    .where(_ROUND)
    .values(
        received=Round.received + bindparam("more_received", type_=BigInteger),
        stored=Round.stored + bindparam("more_stored", type_=BigInteger),
        version=Round.version + bindparam("more_version", type_=BigInteger),
    )
    .returning(Round.stored, Round.released)
)
_GET_ROUND = Statement(
    select(Round.round, Round.received, Round.stored, Round.released, Round.version).where(_ROUND)
)
_ROUNDS = Statement(
    select(Round.round, Round.opened_at, Round.received, Round.stored)
    .where(Round.activity_id == bindparam("of"))
    .order_by(Round.round)
)
_REMOVE_SCORES = Statement(
    delete(Score).where(Score.participant_id == bindparam("who")).returning(Score.activity_id)
)


async def people(session: WriteSession, ids: Collection[UUID]) -> dict[UUID, Row]:
    """Return participants by id, whom nobody removes until the transaction ends."""
    return {row["id"]: row for row in await session.all(_PEOPLE, ids=sorted(ids))}


async def state_of(session: ReadSession, participant_id: UUID) -> str | None:
    """Return a participant's state, or None when there is no such participant."""
    row = await session.one_or_none(_STATE_OF, who=participant_id)
    return row["state"] if row else None


async def by_participants(
    session: ReadSession, activity_id: UUID, number: int, ids: Collection[UUID]
) -> dict[UUID, Row]:
    """Return the answers of these participants in a round, by participant."""
    rows = await session.all(_BY_PARTICIPANTS, of=activity_id, number=number, ids=sorted(ids))
    return {row["participant_id"]: row for row in rows}


async def put(session: WriteSession, rows: Sequence[Row]) -> None:
    """Store answers, in place of those that these participants have in the round."""
    await session.insert(_PUT, rows)


async def remove(
    session: WriteSession, activity_id: UUID, number: int, ids: Collection[UUID]
) -> None:
    """Delete the answers of these participants in a round."""
    if ids:
        await session.all(_REMOVE, of=activity_id, number=number, ids=sorted(ids))


async def count(
    session: WriteSession,
    activity_id: UUID,
    number: int,
    counts: Mapping[str, int],
    labels: Mapping[str, str],
) -> None:
    """Add to counters; one that doesn't exist gets its label. Adding 0 writes it all the same."""
    rows = [
        {
            "activity_id": activity_id,
            "round": number,
            "key": key,
            "label": labels.get(key, ""),
            "count": count,
            "released": 0,
        }
        for key, count in sorted(counts.items())
    ]
    await session.insert(_COUNT, rows)


async def add_to_round(
    session: WriteSession,
    activity_id: UUID,
    number: int,
    *,
    received: int = 0,
    stored: int = 0,
    changed: bool = True,
) -> Row | None:
    """Add to what a round received and stored; return `stored` and `released`.

    `changed` says that its results get another version. None for a round that was never opened.
    """
    return await session.one_or_none(
        _ADD_TO_ROUND, of=activity_id, number=number,
        more_received=received, more_stored=stored, more_version=int(changed),
    )  # fmt: skip


async def release(session: WriteSession, activity_id: UUID, number: int) -> None:
    """Show all that is counted now; call `add_to_round` before."""
    await session.all(_RELEASE_COUNTERS, of=activity_id, number=number)
    await session.all(_RELEASE_ROUND, of=activity_id, number=number)


async def get(
    session: ReadSession, activity_id: UUID, number: int, participant_id: UUID
) -> Row | None:
    """Return a participant's answer in a round, or None."""
    return await session.one_or_none(_GET, of=activity_id, number=number, who=participant_id)


async def all_of(session: ReadSession, activity_id: UUID, number: int) -> list[Row]:
    """Return all answers of a round, in the order of the participants' ids."""
    return await session.all(_ALL, of=activity_id, number=number)


async def rounds_of_participant(session: ReadSession, participant_id: UUID) -> list[Row]:
    """Return the rounds in which a participant has answers: `activity_id` and `round`."""
    return await session.all(_OF_PARTICIPANT, who=participant_id)


async def counts(
    session: ReadSession, activity_id: UUID, number: int, keys: Collection[str] | None = None
) -> dict[str, int]:
    """Return what these counters of a round stand at, or all of them: 0 and below too."""
    if keys is None:
        rows = await session.all(_ALL_COUNTS, of=activity_id, number=number)
    else:
        rows = await session.all(_COUNTS, of=activity_id, number=number, keys=sorted(keys))
    return {row["key"]: row["count"] for row in rows}


async def counters(session: ReadSession, activity_id: UUID, number: int) -> list[Row]:
    """Return the counters of a round that stand above zero: key, label, count."""
    return await session.all(_COUNTERS, of=activity_id, number=number)


async def released(session: ReadSession, activity_id: UUID, number: int) -> list[Row]:
    """Return the counters of a round as they were released last: key, label, count."""
    return await session.all(_RELEASED, of=activity_id, number=number)


async def get_round(session: ReadSession, activity_id: UUID, number: int) -> Row | None:
    """Return a round, or None for one that wasn't opened."""
    return await session.one_or_none(_GET_ROUND, of=activity_id, number=number)


async def rounds(session: ReadSession, activity_id: UUID) -> list[Row]:
    """Return the rounds of an activity that were opened, the first one first."""
    return await session.all(_ROUNDS, of=activity_id)


async def remove_scores(session: WriteSession, participant_id: UUID) -> None:
    """Delete a participant's points."""
    await session.all(_REMOVE_SCORES, who=participant_id)
