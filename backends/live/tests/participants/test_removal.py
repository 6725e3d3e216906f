"""Kicking, banning and coming back."""

import asyncio
from typing import TYPE_CHECKING
from uuid import UUID

import httpx2
import pytest
from sqlalchemy import text

from bedplate import ids
from bedplate.database import Database
from bedplate.testing.problems import ProblemOf

if TYPE_CHECKING:
    from backends.live.tests.conftest import Evening, Guest


async def rejoin(evening: "Evening", guest: "Guest") -> httpx2.Response:
    """Come back with a token."""
    return await evening.api.post(f"{evening.path}/participants/rejoin", headers=guest.headers)


async def states(evening: "Evening") -> dict[str, tuple[str, str]]:
    """Return name and state of everybody, by id."""
    path = f"{evening.path}/participants?removed=true"
    listed = (await evening.api.get(path, headers=evening.host)).json()["items"]
    return {each["id"]: (each["nickname"], each["state"]) for each in listed}


async def test_who_reloads_keeps_name_and_points(evening: "Evening") -> None:
    """Rejoining with the token gives the same place, as often as one likes, and takes none."""
    ann = await evening.join("Ann")
    await evening.join("Ann")
    quiz = await evening.add_open("quiz", policy={"results": "after_reveal"})
    await evening.answer(ann, quiz, choices=["b"])
    await evening.close(quiz)
    await evening.reveal(quiz)
    for _ in range(3):
        response = await rejoin(evening, ann)
        assert response.status_code == 200, response.text
        joined = response.json()
        assert joined.pop("points") > 0
        assert {**joined, "points": 0} == ann.joined
    assert (await evening.get())["participants"] == 2


@pytest.mark.parametrize("how", ["kick", "ban"])
async def test_who_is_removed_is_out_at_once(
    evening: "Evening", problem_of: ProblemOf, how: str
) -> None:
    """Name and place are free, and the token opens nothing any more but the state for polling.

    That is what a screen shows: polls share one statement, and cost none for each token.
    """
    ann = await evening.join("Ann")
    poll = await evening.add_open("poll")
    await evening.do(f"participants/{ann.id}/{how}")
    state = {"kick": "kicked", "ban": "banned"}[how]
    answers = f"/api/v1/activities/{poll['id']}/responses"
    calls: list[tuple[str, str, object]] = [
        ("GET", f"{evening.path}/events", None),
        ("GET", f"{evening.path}/leaderboard", None),
        ("GET", f"/api/v1/activities/{poll['id']}/results", None),
        ("PUT", answers, {"answer": {"choices": ["a"]}}),
        ("POST", f"{evening.path}/participants/heartbeat", None),
        ("PUT", f"{evening.path}/tempo", {"tempo": "fine"}),
    ]
    for method, path, body in calls:
        async with asyncio.timeout(10):  # a stream that is opened all the same doesn't end
            response = await evening.api.request(method, path, json=body, headers=ann.headers)
        assert problem_of(response, 403)["state"] == state, path
    assert (await evening.get())["participants"] == 0
    assert not (await evening.join("Ann")).joined["renamed"]
    assert (await states(evening))[ann.id] == ("Ann", state)


async def test_a_kicked_one_may_come_back(evening: "Evening") -> None:
    """With the token, as the same person with the same points, under a free name."""
    ann = await evening.join("Ann")
    quiz = await evening.add_open("quiz", policy={"results": "after_reveal"})
    await evening.answer(ann, quiz, choices=["b"])
    await evening.close(quiz)
    await evening.reveal(quiz)
    for _ in range(2):
        await evening.do(f"participants/{ann.id}/kick")
    await evening.join("ANN")
    back = (await rejoin(evening, ann)).json()
    assert (back["id"], back["nickname"], back["renamed"]) == (ann.id, "Ann 2", True)
    assert back["points"] > 0
    assert (await evening.get())["participants"] == 2
    again = (await rejoin(evening, ann)).json()
    assert (again["nickname"], again["renamed"]) == ("Ann 2", False)
    response = await evening.api.get(f"{evening.path}/state", headers=ann.headers)
    assert response.status_code == 200


async def test_a_kicked_one_needs_a_place(evening: "Evening", problem_of: ProblemOf) -> None:
    """Who was kicked from a full session waits until somebody leaves."""
    await evening.api.patch(evening.path, json={"max_participants": 1}, headers=evening.host)
    ann = await evening.join("Ann")
    await evening.do(f"participants/{ann.id}/kick")
    bob = await evening.join("Bob")
    assert problem_of(await rejoin(evening, ann), 409)["code"] == "session_full"
    await evening.do(f"participants/{bob.id}/kick")
    assert (await rejoin(evening, ann)).status_code == 200


async def test_a_banned_one_may_not_come_back_until_kicked_instead(
    evening: "Evening", problem_of: ProblemOf
) -> None:
    """Neither the token nor the join that is sent again helps; a kick lifts the ban."""
    key = {"Idempotency-Key": "k" * 16}
    ann = await evening.join("Ann", **key)
    await evening.do(f"participants/{ann.id}/ban")
    assert problem_of(await rejoin(evening, ann), 403)["state"] == "banned"
    body = {"code": evening.code, "nickname": "Ann"}
    response = await evening.api.post(f"{evening.path}/participants", json=body, headers=key)
    assert problem_of(response, 403)["state"] == "banned"
    await evening.do(f"participants/{ann.id}/kick")
    assert (await evening.get())["participants"] == 0
    assert (await rejoin(evening, ann)).json()["id"] == ann.id


async def test_a_kicked_one_may_join_anew(evening: "Evening") -> None:
    """With the code and even the same key, as somebody else."""
    key = {"Idempotency-Key": "k" * 16}
    ann = await evening.join("Ann", **key)
    await evening.do(f"participants/{ann.id}/kick")
    assert (await evening.join("Ann", **key)).id != ann.id
    assert (await evening.get())["participants"] == 1


async def test_nobody_can_take_the_name_that_removed_ones_have(
    evening: "Evening", database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is stored in place of a removed one's name can't be typed: no kick fails by it."""
    # Nothing in this id is taken for a letter or a trailing number.
    monkeypatch.setattr(ids, "uuid", lambda: UUID("abababab-abab-4bab-abab-abababababab"))
    ann = await evening.join("Ann")
    monkeypatch.undo()
    await evening.do(f"participants/{ann.id}/kick")
    query = text("SELECT folded FROM live_participant WHERE state = 'kicked'")
    async with database.engine.connect() as connection:
        stored = (await connection.execute(query)).scalar_one()
    await rejoin(evening, ann)
    names = [stored, f"\u2022{ann.id}", f"_{ann.id}"]
    for name in names:
        await evening.join(name)
    await evening.do(f"participants/{ann.id}/ban")
    assert (await evening.get())["participants"] == len(names)


async def test_moderators_may_remove_and_others_may_not(
    evening: "Evening", problem_of: ProblemOf
) -> None:
    """A person of another session is a 404, for its hosts too."""
    ann, bob = await evening.join_many(2)
    other = await type(evening).create(evening.api)
    moderator, screen = await evening.link("moderator"), await evening.link("screen")
    for how in ("kick", "ban"):
        path = f"{evening.path}/participants/{ann.id}/{how}"
        for headers in (screen, bob.headers, ann.headers, other.host):
            problem_of(await evening.api.post(path, headers=headers), 403)
        problem_of(await evening.api.post(path), 401)
        path = f"{other.path}/participants/{ann.id}/{how}"
        problem_of(await evening.api.post(path, headers=other.host), 404)
    assert (await evening.get())["participants"] == 2
    path = f"{evening.path}/participants/{ann.id}/kick"
    assert (await evening.api.post(path, headers=moderator)).status_code == 204
