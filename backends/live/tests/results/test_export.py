"""Exports: a row for each answer or participant, as CSV and JSON, in little memory."""

import csv
import io
import json
import tracemalloc
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest

from bedplate import clock, ids
from bedplate.database import Database
from bedplate.testing.problems import ProblemOf
from live.participants import repository as participants
from live.responses import repository as responses
from live.results import export

if TYPE_CHECKING:
    from backends.live.tests.conftest import Evening


async def exported(evening: "Evening", **query: str) -> list[dict[str, Any]]:
    """Return an export's rows."""
    response = await evening.api.get(f"{evening.path}/export", headers=evening.host, params=query)
    assert response.status_code == 200, response.text
    if query.get("format") == "csv":
        assert response.headers["Content-Type"] == "text/csv; charset=utf-8"
        return list(csv.DictReader(io.StringIO(response.text, newline="")))
    assert response.headers["Content-Type"] == "application/json"
    rows: list[dict[str, Any]] = response.json()
    return rows


async def test_by_activity(evening: "Evening") -> None:
    """Each round has a row with its result, and one for each answer; also while it is open."""
    ann, bob = await evening.join("Ann"), await evening.join("Bob")
    poll = await evening.add_open("poll", title="Tea?")
    await evening.answer(ann, poll, choices=["a"])
    await evening.do(f"activities/{poll['id']}/close")
    await evening.do(f"activities/{poll['id']}/reset")
    await evening.open_(poll)
    await evening.answer(ann, poll, choices=["b"])
    await evening.answer(bob, poll, choices=["b"])
    rows = await exported(evening)
    rounds = [row for row in rows if "result" in row]
    assert [(row["round"], row["stored"]) for row in rounds] == [(1, 1), (2, 2)]
    assert rounds[1]["result"]["counts"] == {"a": 0, "b": 2}
    answers = {(r["round"], r["nickname"]): r for r in rows if "answer" in r}
    assert answers.keys() == {(1, "Ann"), (2, "Ann"), (2, "Bob")}
    assert answers[1, "Ann"]["answer"] == {"choices": ["a"]}
    assert answers[1, "Ann"]["seconds"] >= 0
    assert answers[1, "Ann"]["answered_at"].endswith("+00:00")
    lines = await exported(evening, format="csv")
    assert len(lines) == len(rows)
    assert json.loads(lines[0]["result"]) == rows[0]["result"]
    assert {line["title"] for line in lines} == {"Tea?"}


async def test_by_participant(evening: "Evening") -> None:
    """Each participant has a row with points, rank and every answer; removed ones are in it."""
    people = {name: await evening.join(name) for name in ("Ann", "Bob", "Cid")}
    quiz = await evening.add_open("quiz", title="2 + 2?", config={
        "options": [{"text": "3"}, {"text": "4", "correct": True}], "speed": False})  # fmt: skip
    for name, choice in (("Ann", "b"), ("Bob", "a"), ("Cid", "b")):
        await evening.answer(people[name], quiz, choices=[choice])
    await evening.close(quiz)
    await evening.reveal(quiz)
    poll = await evening.add_open("poll", title="Tea?")
    await evening.answer(people["Bob"], poll, choices=["a"])
    await evening.close(poll)
    await evening.do(f"activities/{poll['id']}/reset")
    await evening.open_(poll)
    await evening.answer(people["Bob"], poll, choices=["b"])
    await evening.do(f"participants/{people['Cid'].id}/ban")
    rows = {row["nickname"]: row for row in await exported(evening, by="participant")}
    assert (rows["Ann"]["rank"], rows["Ann"]["points"], rows["Ann"]["state"]) == (1, 1000, "joined")
    assert (rows["Bob"]["rank"], rows["Bob"]["points"]) == (2, 0)
    assert (rows["Cid"]["rank"], rows["Cid"]["state"]) == (None, "banned")
    assert rows["Bob"]["answers"] == {
        "1. 2 + 2?": {"choices": ["a"]},
        "2. Tea?": {"choices": ["a"]},
        "2. Tea? (round 2)": {"choices": ["b"]},
    }
    lines = {line["nickname"]: line for line in await exported(
        evening, by="participant", format="csv")}  # fmt: skip
    assert json.loads(lines["Bob"]["2. Tea? (round 2)"]) == {"choices": ["b"]}
    assert lines["Ann"]["2. Tea?"] == ""


@pytest.mark.parametrize("name", ["=1+1", "+1", "-1", "@A1", "\uff1d1+1", "\uff20x"])
async def test_cells_are_no_formulas(evening: "Evening", name: str) -> None:
    """A nickname, title or word that a spreadsheet would run is a text in every cell."""
    guest = await evening.join(name)
    cloud = await evening.add_open("word_cloud", title=name)
    await evening.answer(guest, cloud, words=[name])
    for by in ("activity", "participant"):
        response = await evening.api.get(
            f"{evening.path}/export",
            headers=evening.host,
            params={"format": "csv", "by": by},
        )
        assert name in response.text
        for line in csv.reader(io.StringIO(response.text, newline="")):
            for cell in line:
                assert not cell.lstrip().startswith(("=", "+", "-", "@", "\uff1d", "\uff20")), cell


async def test_a_nickname_with_quotes_and_commas(evening: "Evening") -> None:
    """What CSV has to quote comes back as it was."""
    name = 'Ann "A", of Ül;m'
    await evening.join(name)
    [row] = await exported(evening, by="participant", format="csv")
    assert row["nickname"] == name


async def test_nothing_to_export(evening: "Evening") -> None:
    """A session without activities and people has an export that can be read."""
    for by in ("activity", "participant"):
        assert await exported(evening, by=by) == []
        assert await exported(evening, by=by, format="csv") == []


async def test_only_hosts_export(evening: "Evening", problem_of: ProblemOf) -> None:
    """Moderators, screens and participants are refused, and unknown formats."""
    guest = await evening.join()
    refused = [await evening.link("moderator"), await evening.link("screen"), guest.headers]
    for headers in refused:
        problem_of(await evening.api.get(f"{evening.path}/export", headers=headers), 403)
    for query in ({"format": "xlsx"}, {"by": "day"}):
        response = await evening.api.get(
            f"{evening.path}/export", headers=evening.host, params=query
        )
        problem_of(response, 422)


async def test_after_the_session(evening: "Evening") -> None:
    """A completed session can be exported."""
    await evening.join("Ann")
    await evening.complete()
    [row] = await exported(evening, by="participant")
    assert row["nickname"] == "Ann"


async def fill(database: Database, evening: "Evening", people: int) -> None:
    """Store so many participants, each with an answer of a page of text."""
    asked = await evening.add_open("open_text", title=f"{people} people")
    now = clock.now()
    who = [ids.uuid() for _ in range(people)]
    rows = [
        {
            "id": person, "session_id": UUID(evening.id), "nickname": f"Guest {person}",
            "folded": str(person), "base": "guest", "state": "joined", "join_key": None,
            "time_factor": 1.0, "joined_at": now, "seen_at": now,
        }
        for person in who
    ]  # fmt: skip
    answers = [
        {
            "activity_id": UUID(asked["id"]), "round": 1, "participant_id": person,
            "answer": {"texts": [f"{person} {'long ' * 90}"] * 5}, "answered_at": now,
            "seconds": 1.0,
        }
        for person in who
    ]  # fmt: skip
    async with database.write() as session:
        await participants.add(session, rows)
        await responses.put(session, answers)
    await evening.close(asked)


@pytest.mark.parametrize("form", ["json", "csv"])
async def test_memory_stays_small(
    database: Database, evening: "Evening", form: export.Format
) -> None:
    """3,000 answers of 2 KB each, 8 MB in all, pass through a few megabytes."""
    await fill(database, evening, 3_000)
    total = 0
    tracemalloc.start()
    try:
        async for part in export.encoded(database.read(), UUID(evening.id), form, "activity"):
            total += len(part)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert total > 6_000_000
    assert peak < total * 0.6
