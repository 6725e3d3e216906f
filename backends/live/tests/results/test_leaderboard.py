"""Points and ranks: who leads, ties, streaks, and what takes points away."""

from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest

from bedplate import clock, ids
from bedplate.database import Database
from bedplate.testing.client import Client
from live.participants import repository as participants
from live.results import leaderboard, repository

if TYPE_CHECKING:
    from backends.live.tests.conftest import Evening, Guest

Board = list[tuple[int, str, int]]
FLAT = {
    "options": [{"text": "3"}, {"text": "4", "correct": True}],
    "speed": False,
}


async def board(evening: "Evening", guest: "Guest | None" = None, **query: Any) -> Any:
    """Return the leaderboard as somebody sees it."""
    headers = guest.headers if guest else evening.host
    response = await evening.api.get(f"{evening.path}/leaderboard", headers=headers, params=query)
    assert response.status_code == 200, response.text
    return response.json()


def lines(found: dict[str, Any]) -> Board:
    """Return rank, name and points of each line."""
    return [(line["rank"], line["nickname"], line["points"]) for line in found["items"]]


async def play(
    evening: "Evening", answers: "dict[str, Guest]", *, right: set[str], **config: Any
) -> dict[str, Any]:
    """Let everybody answer a quiz and reveal it; those in `right` choose the correct option."""
    quiz = await evening.add_open("quiz", config={**FLAT, **config})
    for name, guest in answers.items():
        await evening.answer(guest, quiz, choices=["b" if name in right else "a"])
    await evening.close(quiz)
    return await evening.reveal(quiz)


@pytest.fixture
async def people(evening: "Evening") -> "dict[str, Guest]":
    """Four participants."""
    return {name: await evening.join(name) for name in ("Ann", "Bob", "Cid", "Dan")}


async def test_only_revealed_activities_count(
    evening: "Evening", people: "dict[str, Guest]"
) -> None:
    """Points come with the reveal, not with the answer or the close; a reset takes them away."""
    quiz = await evening.add_open("quiz", config=FLAT)
    await evening.answer(people["Bob"], quiz, choices=["b"])
    await evening.close(quiz)
    assert {points for _, _, points in lines(await board(evening))} == {0}
    await evening.reveal(quiz)
    assert lines(await board(evening))[0] == (1, "Bob", 1000)
    assert (await evening.results(quiz, people["Bob"].headers))["own"] == {
        "points": 1000,
        "streak": 1,
    }
    await evening.do(f"activities/{quiz['id']}/reset")
    assert {points for _, _, points in lines(await board(evening))} == {0}
    rejoined = await evening.do("participants/rejoin", headers=people["Bob"].headers)
    assert rejoined["points"] == 0


async def test_a_deleted_activity_takes_its_points_along(
    evening: "Evening", people: "dict[str, Guest]"
) -> None:
    """What isn't there any more counts for nobody."""
    quiz = await play(evening, people, right={"Ann"})
    response = await evening.api.delete(
        f"{evening.path}/activities/{quiz['id']}", headers=evening.host
    )
    assert response.status_code == 204
    assert {points for _, _, points in lines(await board(evening))} == {0}


async def test_streaks(evening: "Evening", people: "dict[str, Guest]") -> None:
    """Each correct answer in a row is worth 100 more; a wrong answer ends it, and so does none."""
    three = {name: people[name] for name in ("Ann", "Bob", "Cid")}
    for _ in range(2):
        await play(evening, three, right={"Ann", "Bob", "Cid"})
    await play(evening, {"Ann": people["Ann"], "Bob": people["Bob"]}, right={"Ann"})
    await play(evening, three, right={"Ann", "Bob", "Cid"})
    found = await board(evening)
    assert {line["nickname"]: line["points"] for line in found["items"]} == {
        "Ann": 1000 + 1100 + 1200 + 1300,
        "Bob": 1000 + 1100 + 1000,
        "Cid": 1000 + 1100 + 1000,
        "Dan": 0,
    }
    assert {line["nickname"]: line["streak"] for line in found["items"]} == {
        "Ann": 4, "Bob": 1, "Cid": 1, "Dan": 0
    }  # fmt: skip


async def test_the_bonus_has_an_end(evening: "Evening", people: "dict[str, Guest]") -> None:
    """From the sixth correct answer on the bonus stays 500."""
    one = {"Ann": people["Ann"]}
    for _ in range(8):
        await play(evening, one, right={"Ann"}, points=10)
    (_, _, points) = lines(await board(evening))[0]
    assert points == 8 * 10 + 100 + 200 + 300 + 400 + 500 * 3


async def scored(
    database: Database, evening: "Evening", scores: "list[tuple[Guest, int, float]]"
) -> None:
    """Store points and seconds as a reveal does."""
    quiz = await evening.add("quiz")
    rows = [
        {
            "activity_id": UUID(quiz["id"]),
            "participant_id": UUID(guest.id),
            "points": points,
            "seconds": seconds,
            "streak": 1,
        }
        for guest, points, seconds in scores
    ]
    async with database.write() as session:
        await repository.add_scores(session, rows)


async def test_ties(database: Database, evening: "Evening", people: "dict[str, Guest]") -> None:
    """Ranks are 1, 2, 2, 4: by points, then by time; who has both alike shares a rank.

    The same times add up to the same sum in whatever order they come. Equal ones come in the order
    of their ids.
    """
    ann, bob, cid, dan = people.values()
    times = (0.1, 0.2, 0.3, 0.7, 1e-9)
    for mine, theirs in zip(times, reversed(times), strict=True):
        await scored(
            database, evening, [(ann, 10, mine), (bob, 10, theirs), (cid, 10, 0.1), (dan, 1, 0)]
        )
    found = [(rank, points) for rank, _, points in lines(await board(evening))]
    assert found == [(1, 50), (2, 50), (2, 50), (4, 5)]
    assert lines(await board(evening))[0][1] == "Cid"
    first = lines(await board(evening))
    by_id = sorted([ann, bob], key=lambda guest: guest.id)
    assert [line[1] for line in first[1:3]] == [guest.nickname for guest in by_id]
    for _ in range(3):
        assert lines(await board(evening)) == first


async def test_who_was_removed_is_not_in_it(evening: "Evening", people: "dict[str, Guest]") -> None:
    """A kicked participant leaves the leaderboard, and comes back with the points they had."""
    await play(evening, people, right={"Ann", "Bob"})
    path = f"participants/{people['Ann'].id}/kick"
    await evening.do(path)
    found = await board(evening)
    assert (found["participants"], found["items"][0]["nickname"]) == (3, "Bob")
    rejoined = await evening.do("participants/rejoin", headers=people["Ann"].headers)
    assert rejoined["points"] == 1000
    assert (await board(evening))["participants"] == 4


async def test_ones_own_place(evening: "Evening", people: "dict[str, Guest]") -> None:
    """Whoever asks finds their own place, also beyond the limit; hosts have none."""
    await play(evening, people, right={"Bob", "Cid", "Dan"})
    found = await board(evening, people["Ann"], limit=2)
    assert len(found["items"]) == 2
    assert (found["own"]["rank"], found["own"]["nickname"], found["own"]["own"]) == (4, "Ann", True)
    assert not any(line["own"] for line in found["items"])
    assert (await board(evening))["own"] is None
    response = await evening.api.get(
        f"{evening.path}/leaderboard", headers=evening.host, params={"limit": 0}
    )
    assert response.status_code == 422


async def test_nobody_has_joined(evening: "Evening") -> None:
    """An empty leaderboard is no error."""
    assert await board(evening) == {
        "version": await version(evening), "participants": 0, "items": [], "own": None
    }  # fmt: skip


async def version(evening: "Evening") -> int:
    """Return the session's version."""
    response = await evening.api.get(f"{evening.path}/state", headers=evening.host)
    found: int = response.json()["version"]
    return found


async def test_a_hall_of_5000(database: Database, evening: "Evening") -> None:
    """One statement reads ten lines of 5,000 participants, and one's own place among them."""
    now = clock.now()
    people = [ids.uuid() for _ in range(5_000)]
    rows = [
        {
            "id": person,
            "session_id": UUID(evening.id),
            "nickname": f"Guest {number}",
            "folded": f"guest {number}",
            "base": "guest",
            "state": "joined",
            "join_key": None,
            "time_factor": 1.0,
            "joined_at": now + timedelta(milliseconds=number),
            "seen_at": now,
        }
        for number, person in enumerate(people)
    ]
    quiz = await evening.add("quiz")
    scores = [
        {
            "activity_id": UUID(quiz["id"]),
            "participant_id": person,
            "points": number,
            "seconds": 1.0,
            "streak": 1,
        }
        for number, person in enumerate(people)
    ]
    async with database.write() as session:
        await participants.add(session, rows)
        await repository.add_scores(session, scores)
    number, places = await leaderboard.standings(
        database.read(), UUID(evening.id), limit=10, own=people[2_000]
    )
    assert (number, len(places)) == (5_000, 11)
    assert [place["rank"] for place in places] == [*range(1, 11), 3_000]
    assert places[0]["nickname"] == "Guest 4999"


async def test_wrong_answers_take_no_time(api: Client, make_evening: Callable[..., Any]) -> None:
    """Only correct answers' time breaks ties: a quick wrong answer is no better than none."""
    evening = await make_evening()
    await evening.start()
    ann, bob = await evening.join("Ann"), await evening.join("Bob")
    await play(evening, {"Ann": ann}, right=set())
    found = await board(evening, bob)
    assert [line["seconds"] for line in found["items"]] == [0.0, 0.0]
    assert [line["rank"] for line in found["items"]] == [1, 1]
