"""The statements on results, points and moderation. Only here is SQL written for them."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    ScalarSelect,
    Text,
    bindparam,
    case,
    cast,
    func,
    select,
)

from bedplate.database import GUID, AnyOf, ReadSession, Row, Statement, WriteSession
from bedplate.database.bulk_insert import BulkInsert
from live.models.activities import Activity
from live.models.participants import Participant
from live.models.responses import Response
from live.models.results import Moderation, Score

_IN_ROUND = (Moderation.activity_id == bindparam("of", type_=GUID)) & (
    Moderation.round == bindparam("number", type_=BigInteger)
)
_MODERATION = Statement(
    select(Moderation.key, Moderation.state, Moderation.pinned, Moderation.answered).where(
        _IN_ROUND
    )
)
_MODERATE = BulkInsert(
    Moderation,
    conflict=["activity_id", "round", "key"],
    replace=["state", "pinned", "answered"],
)
_ADD_SCORES = BulkInsert(
    Score, conflict=["activity_id", "participant_id"], replace=["points", "seconds", "streak"]
)
_ROUND = (Response.activity_id == bindparam("of", type_=GUID)) & (
    Response.round == bindparam("number", type_=BigInteger)
)
_ANSWERS = Statement(
    select(Response.participant_id, Response.answer, Response.seconds, Participant.time_factor)
    .join(Participant, Participant.id == Response.participant_id)
    .where(_ROUND)
    .order_by(Response.participant_id)
)


def _last_revealed(*conditions: ColumnElement[bool]) -> ScalarSelect[UUID]:
    """Return the activity with points that was revealed last: who isn't in it has no streak."""
    return (
        select(Activity.id)
        .where(
            *conditions,
            Activity.state == "revealed",
            Activity.id.in_(select(Score.activity_id)),
        )
        .order_by(Activity.revealed_at.desc())
        .limit(1)
        .scalar_subquery()
    )


_LAST_REVEALED = _last_revealed(
    Activity.session_id == bindparam("of", type_=GUID),
    Activity.id != bindparam("which", type_=GUID),
)
_STREAKS = Statement(
    select(Score.participant_id, Score.streak).where(Score.activity_id == _LAST_REVEALED)
)
_POINTS = func.coalesce(func.sum(Score.points), 0).label("points")
# Whole milliseconds: the sum of the same floats in another order is another one.
_MS = cast(func.round(func.coalesce(func.sum(Score.seconds), 0.0) * 1000), BigInteger)
_REVEALED_LAST = _last_revealed(Activity.session_id == bindparam("of", type_=GUID))
_TOTALS = (
    select(
        Participant.id,
        Participant.nickname,
        _POINTS,
        _MS.label("ms"),
        func.coalesce(
            func.max(case((Score.activity_id == _REVEALED_LAST, Score.streak), else_=0)), 0
        ).label("streak"),
    )
    .outerjoin(Score, Score.participant_id == Participant.id)
    .where(Participant.session_id == bindparam("of", type_=GUID), Participant.state == "joined")
    .group_by(Participant.id, Participant.nickname)
    .subquery("totals")
)
_BEST = (_TOTALS.c.points.desc(), _TOTALS.c.ms)
_RANKED = select(
    *_TOTALS.c,
    func.rank().over(order_by=_BEST).label("rank"),
    func.row_number().over(order_by=(*_BEST, _TOTALS.c.id)).label("position"),
    func.count().over().label("participants"),
).subquery("ranked")
_STANDINGS = Statement(
    select(*_RANKED.c)
    .where(
        (_RANKED.c.position <= bindparam("limit", type_=BigInteger))
        | (_RANKED.c.id == bindparam("own", type_=GUID))
    )
    .order_by(_RANKED.c.position)
)
_POINTS_OF = Statement(select(_POINTS).where(Score.participant_id == bindparam("who", type_=GUID)))
_SCORE_OF = Statement(
    select(Score.points, Score.streak).where(
        Score.participant_id == bindparam("who", type_=GUID),
        Score.activity_id == bindparam("of", type_=GUID),
    )
)

_PEOPLE = Statement(
    select(Participant.id, Participant.nickname, Participant.state, Participant.joined_at)
    .where(
        Participant.session_id == bindparam("of", type_=GUID),
        Participant.id > bindparam("after", type_=GUID),
    )
    .order_by(Participant.id)
    .limit(bindparam("limit", type_=BigInteger))
)

_NAMED_ANSWERS = Statement(
    select(
        Response.participant_id, Participant.nickname, Response.answer, Response.answered_at,
        Response.seconds,
    )
    .join(Participant, Participant.id == Response.participant_id)
    .where(_ROUND, Response.participant_id > bindparam("after", type_=GUID))
    .order_by(Response.participant_id)
    .limit(bindparam("limit", type_=BigInteger))
)  # fmt: skip
# In an order that says nothing about who answered, and groups so that equal ones fit on a page.
_TEXT = cast(Response.answer, Text)
_ANSWERS_BY_TEXT = Statement(
    select(_TEXT.label("text"), func.count().label("count"))
    .where(_ROUND, bindparam("after", type_=Text()) < _TEXT)
    .group_by(_TEXT)
    .order_by(_TEXT)
    .limit(bindparam("limit", type_=BigInteger))
)
_ANSWERS_OF = Statement(
    select(Response.participant_id, Response.activity_id, Response.round, Response.answer).where(
        AnyOf(Response.participant_id, "ids")
    )
)


async def moderation(session: ReadSession, activity_id: UUID, number: int) -> dict[str, Row]:
    """Return what was decided about the words of a round, by key."""
    rows = await session.all(_MODERATION, of=activity_id, number=number)
    return {row["key"]: row for row in rows}


async def moderate(
    session: WriteSession, activity_id: UUID, number: int, key: str, decision: dict[str, Any]
) -> None:
    """Store what was decided about some words."""
    row = {"activity_id": activity_id, "round": number, "key": key, **decision}
    await session.insert(_MODERATE, [row])


async def answers(session: ReadSession, activity_id: UUID, number: int) -> list[Row]:
    """Return the answers of a round with how long they took, and each one's time factor."""
    return await session.all(_ANSWERS, of=activity_id, number=number)


async def streaks(session: ReadSession, session_id: UUID, activity_id: UUID) -> dict[UUID, int]:
    """Return the streaks before an activity, by participant."""
    rows = await session.all(_STREAKS, of=session_id, which=activity_id)
    return {row["participant_id"]: row["streak"] for row in rows}


async def add_scores(session: WriteSession, rows: Sequence[Row]) -> None:
    """Store the points of an activity."""
    await session.insert(_ADD_SCORES, rows)


async def standings(
    session: ReadSession, session_id: UUID, limit: int, own: UUID | None
) -> list[Row]:
    """Return the best participants and `own`, each with rank, points and streak."""
    return await session.all(_STANDINGS, of=session_id, limit=limit, own=own)


async def people(session: ReadSession, session_id: UUID, after: UUID, limit: int) -> list[Row]:
    """Return the next participants in the order of their ids, removed ones included."""
    return await session.all(_PEOPLE, of=session_id, after=after, limit=limit)


async def named_answers(
    session: ReadSession, activity_id: UUID, number: int, after: UUID, limit: int
) -> list[Row]:
    """Return the next answers of a round in the order of the participants' ids, with names."""
    return await session.all(
        _NAMED_ANSWERS, of=activity_id, number=number, after=after, limit=limit
    )


async def answers_by_text(
    session: ReadSession, activity_id: UUID, number: int, after: str, limit: int
) -> list[Row]:
    """Return the next different answers of a round, as JSON texts, and how often each is there."""
    return await session.all(
        _ANSWERS_BY_TEXT, of=activity_id, number=number, after=after, limit=limit
    )


async def answers_of(session: ReadSession, participants: Sequence[UUID]) -> list[Row]:
    """Return all answers of some participants."""
    return await session.all(_ANSWERS_OF, ids=list(participants))


async def points_of(session: ReadSession, participant_id: UUID) -> int:
    """Return a participant's points."""
    rows = await session.all(_POINTS_OF, who=participant_id)
    return int(rows[0]["points"])


async def score_of(session: ReadSession, activity_id: UUID, participant_id: UUID) -> Row | None:
    """Return a participant's points and streak in an activity, or None."""
    return await session.one_or_none(_SCORE_OF, of=activity_id, who=participant_id)
