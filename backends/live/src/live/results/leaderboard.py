"""Points and ranks: made from the answers of revealed activities alone."""

from typing import Any, Final
from uuid import UUID

from bedplate.database import ReadSession, Row, WriteSession
from live.activities.service import config_of, type_of
from live.results import repository

Place = dict[str, Any]
"""A line of the leaderboard: id, nickname, points, seconds, streak, rank."""

_STREAK_POINTS: Final = 100
_MAX_STREAK_POINTS: Final = 500


async def store_scores(session: WriteSession, activity: Row) -> None:
    """Store the points of a revealed activity: its answers', and those of streaks."""
    kind, config = type_of(activity), config_of(activity)
    limit = None
    if activity["closes_at"] is not None:
        limit = (activity["closes_at"] - activity["opened_at"]).total_seconds()
    before = await repository.streaks(session, activity["session_id"], activity["id"])
    rows = []
    for row in await repository.answers(session, activity["id"], activity["round"]):
        answer = kind.parse_answer(config, row["answer"])
        longer = limit * row["time_factor"] if limit is not None else None
        score = kind.score(config, answer, seconds=row["seconds"], limit=longer)
        if score is None:
            continue
        streak = before.get(row["participant_id"], 0) + 1 if score.correct else 0
        rows.append(
            {
                "activity_id": activity["id"],
                "participant_id": row["participant_id"],
                "points": score.points + _streak_points(streak) if score.points else 0,
                # The time of wrong answers breaks no tie: else it were better to give none.
                "seconds": (row["seconds"] or 0.0) if score.correct else 0.0,
                "streak": streak,
            }
        )
    await repository.add_scores(session, rows)


def _streak_points(streak: int) -> int:
    """Return what the second and later correct answers in a row add."""
    return min(max(streak - 1, 0) * _STREAK_POINTS, _MAX_STREAK_POINTS)


async def standings(
    session: ReadSession, session_id: UUID, *, limit: int, own: UUID | None = None
) -> tuple[int, list[Place]]:
    """Return how many participants there are, and the places of the best and of `own`.

    The places are by points, then by the time of the correct answers, to the millisecond; equal
    ones share a rank (1, 2, 2, 4) and come in the order of their ids.
    """
    rows = await repository.standings(session, session_id, limit, own)
    places = [{**row, "points": int(row["points"]), "seconds": row["ms"] / 1000} for row in rows]
    return (places[0]["participants"] if places else 0), places


async def points_of(session: ReadSession, participant_id: UUID) -> int:
    """Return a participant's points."""
    return await repository.points_of(session, participant_id)
