"""Exports: a row for each answer, or a row for each participant, as CSV or JSON.

Rows are read some hundred at a time, so an export takes little memory however many there are.
"""

from collections import defaultdict
from collections.abc import AsyncIterator, Iterable, Sequence
from typing import Any, Final, Literal
from uuid import UUID

import orjson

from bedplate.csv_lines import csv_line, harmless
from bedplate.database import ReadSession, Row
from live.activities import repository as activities
from live.activities.service import policy_of
from live.responses import repository as responses
from live.results import leaderboard, repository
from live.results.service import counted
from live.security import HOST

Format = Literal["json", "csv"]
Shape = Literal["activity", "participant"]
MEDIA_TYPES: Final = {"json": "application/json", "csv": "text/csv; charset=utf-8"}

_OF_ACTIVITY: Final = (
    "activity", "title", "type", "round", "stored", "result", "nickname", "answer", "answered_at",
    "seconds",
)  # fmt: skip
_OF_PARTICIPANT: Final = ("nickname", "state", "joined_at", "rank", "points")
_PAGE: Final = 200
_MOST: Final = 2**31 - 1


async def encoded(
    session: ReadSession, session_id: UUID, form: Format, shape: Shape
) -> AsyncIterator[bytes]:
    """Yield the bytes of an export, some rows at a time."""
    if shape == "activity":
        columns, rows = list(_OF_ACTIVITY), _of_activities(session, session_id)
    else:
        asked = await _asked(session, session_id)
        columns = [*_OF_PARTICIPANT, *asked.values()]
        rows = _of_participants(session, session_id, asked)
    if form == "csv":
        yield _line(columns)
        async for page in rows:
            yield b"".join(_line(_flat(row, columns)) for row in page)
        return
    before = b"["
    async for page in rows:
        yield before + b",\n".join(map(orjson.dumps, page))
        before = b",\n"
    yield b"[]\n" if before == b"[" else b"]\n"


async def _of_activities(session: ReadSession, session_id: UUID) -> AsyncIterator[list[Row]]:
    """Yield a row for each round with its result, and then one for each of its answers.

    Anonymous answers have neither name nor time, and come in an order of their own when their round
    is over and shown to the host; secret ones are nowhere.
    """
    for activity in await activities.in_order(session, session_id):
        policy = policy_of(activity)
        for round_ in await responses.rounds(session, activity["id"]):
            number = round_["round"]
            known = {
                "activity": str(activity["id"]),
                "title": activity["title"],
                "type": activity["type"],
                "round": number,
            }
            counts = await counted(session, activity, number)
            result = None if counts.held_back else counts.result(HOST, revealed=True)
            yield [{**known, "stored": round_["stored"], "result": result}]
            if policy.secret:
                continue
            if not policy.anonymous:
                async for page in _answers(session, activity["id"], number):
                    yield [{**known, **row} for row in page]
            elif not counts.held_back and not counts.is_open:
                async for page in _anonymous_answers(session, activity["id"], number):
                    yield [{**known, **row} for row in page]


async def _answers(
    session: ReadSession, activity_id: UUID, number: int
) -> AsyncIterator[list[Row]]:
    after = UUID(int=0)
    while rows := await repository.named_answers(session, activity_id, number, after, _PAGE):
        yield [
            {
                "nickname": row["nickname"],
                "answer": row["answer"],
                "answered_at": row["answered_at"].isoformat(),
                "seconds": row["seconds"],
            }
            for row in rows
        ]
        after = rows[-1]["participant_id"]


async def _anonymous_answers(
    session: ReadSession, activity_id: UUID, number: int
) -> AsyncIterator[list[Row]]:
    after = ""
    while rows := await repository.answers_by_text(session, activity_id, number, after, _PAGE):
        for row in rows:
            answer = {"answer": orjson.loads(row["text"])}
            for start in range(0, row["count"], _PAGE):
                yield [answer] * min(row["count"] - start, _PAGE)
        after = rows[-1]["text"]


async def _asked(session: ReadSession, session_id: UUID) -> dict[tuple[UUID, int], str]:
    """Return the headings of all rounds whose answers have names, by activity and round."""
    headings = {}
    for position, activity in enumerate(await activities.in_order(session, session_id), 1):
        if policy_of(activity).hides_people:
            continue
        for round_ in await responses.rounds(session, activity["id"]):
            number = round_["round"]
            again = f" (round {number})" if number > 1 else ""
            headings[activity["id"], number] = f"{position}. {activity['title']}{again}"
    return headings


async def _of_participants(
    session: ReadSession, session_id: UUID, asked: dict[tuple[UUID, int], str]
) -> AsyncIterator[list[Row]]:
    """Yield a row for each participant: points, rank, and the answers that have a name."""
    _, standings = await leaderboard.standings(session, session_id, limit=_MOST)
    places = {place["id"]: (place["rank"], place["points"]) for place in standings}
    after = UUID(int=0)
    while people := await repository.people(session, session_id, after, _PAGE):
        answers: defaultdict[UUID, dict[str, Any]] = defaultdict(dict)
        for row in await repository.answers_of(session, [person["id"] for person in people]):
            heading = asked.get((row["activity_id"], row["round"]))
            if heading is not None:
                answers[row["participant_id"]][heading] = row["answer"]
        page = []
        for person in people:
            rank, points = places.get(person["id"], (None, None))
            page.append(
                {
                    "nickname": person["nickname"],
                    "state": person["state"],
                    "joined_at": person["joined_at"].isoformat(),
                    "rank": rank,
                    "points": points,
                    "answers": answers[person["id"]],
                }
            )
        yield page
        after = people[-1]["id"]


def _flat(row: Row, columns: Sequence[str]) -> list[Any]:
    """Return the cells of a row; answers that stand together have a column each."""
    cells = {**row, **row.get("answers", {})}
    return [cells.get(column) for column in columns]


def _line(values: Iterable[Any]) -> bytes:
    return csv_line(_cell(value) for value in values)


def _cell(value: Any) -> str:
    """Return a value as a cell that no spreadsheet takes for a formula."""
    if value is None:
        return ""
    if not isinstance(value, str):
        return orjson.dumps(value).decode()
    return harmless(value)
