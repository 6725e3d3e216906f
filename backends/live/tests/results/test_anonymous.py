"""Anonymous and secret answers: too few are held back, and no difference names anybody."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from bedplate.testing.client import Client

if TYPE_CHECKING:
    from backends.live.tests.conftest import Evening, Guest
    from backends.live.tests.results.conftest import RememberingChannels

ANONYMOUS = {"anonymous": True, "min_answers": 3}
SECRET = {"secret": True, "min_answers": 3}


async def counts(evening: "Evening", activity: dict[str, Any]) -> dict[str, int] | None:
    """Return how often each option was chosen as the host sees it, or None when held back."""
    shown = await evening.results(activity)
    assert shown["held_back"] == (shown["result"] is None)
    found: dict[str, int] | None = shown["result"] and shown["result"]["counts"]
    return found


async def export(evening: "Evening", **query: str) -> list[dict[str, Any]]:
    """Return an export."""
    response = await evening.api.get(f"{evening.path}/export", headers=evening.host, params=query)
    assert response.status_code == 200
    rows: list[dict[str, Any]] = response.json()
    return rows


@pytest.mark.parametrize("policy", [ANONYMOUS, SECRET], ids=["anonymous", "secret"])
async def test_results_come_in_steps(
    evening: "Evening", policy: dict[str, Any], channels: "RememberingChannels"
) -> None:
    """While it is open, results stand still until three more answers have come, for everybody.

    How many answered is no secret. When it is closed, all answers are in the result.
    """
    poll = await evening.add_open("poll", policy=policy)
    guests = await evening.join_many(7)
    seen = []
    for number, guest in enumerate(guests, 1):
        await evening.answer(guest, poll, choices=["a"])
        assert (await evening.results(poll))["stored"] == number
        seen.append(await counts(evening, poll))
        for headers in (guest.headers, await evening.link("screen")):
            shown = await evening.results(poll, headers)
            assert (shown["result"] and shown["result"]["counts"]) == seen[-1]
    three, six = {"a": 3, "b": 0}, {"a": 6, "b": 0}
    assert seen == [None, None, three, three, three, six, six]
    sent = await channels.until_host(stored=7)
    assert {sent.payloads[each]["result"]["counts"]["a"] for each in sent.payloads} == {6}
    await evening.close(poll)
    assert await counts(evening, poll) == {"a": 7, "b": 0}


async def test_too_few_stay_held_back(evening: "Evening", channels: "RememberingChannels") -> None:
    """Also a closed and a revealed activity shows nothing of two answers, and no export does."""
    poll = await evening.add_open("poll", policy=ANONYMOUS)
    for guest in await evening.join_many(2):
        await evening.answer(guest, poll, choices=["b"])
    await evening.close(poll)
    assert await counts(evening, poll) is None
    await evening.reveal(poll)
    assert await counts(evening, poll) is None
    sent = await channels.until_host(state="revealed")
    assert all(payload["result"] is None for payload in sent.payloads.values())
    [row] = await export(evening)
    assert (row["stored"], row["result"]) == (2, None)


async def test_changes_of_one_release_nothing(evening: "Evening") -> None:
    """One who votes to and fro doesn't bring the next person's answer to light."""
    poll = await evening.add_open("poll", policy=ANONYMOUS)
    guests = await evening.join_many(5)
    for guest in guests[:3]:
        await evening.answer(guest, poll, choices=["a"])
    for _ in range(5):
        await evening.answer(guests[0], poll, choices=["b"])
        await evening.answer(guests[0], poll, choices=["a"])
    for _ in range(3):
        response = await evening.api.delete(evening.responses(poll), headers=guests[0].headers)
        assert response.status_code == 204
        await evening.answer(guests[0], poll, choices=["a"])
    await evening.answer(guests[3], poll, choices=["b"])
    assert await counts(evening, poll) == {"a": 3, "b": 0}


@pytest.mark.parametrize("policy", [ANONYMOUS, SECRET], ids=["anonymous", "secret"])
async def test_a_ban_does_not_tell_an_answer(evening: "Evening", policy: dict[str, Any]) -> None:
    """Removing somebody's answers leaves anonymous ones: the difference would be their vote."""
    poll = await evening.add_open("poll", policy=policy)
    guests = await evening.join_many(4)
    for guest in guests:
        await evening.answer(guest, poll, choices=["b"])
    await evening.close(poll)
    await evening.do(f"participants/{guests[0].id}/ban", {"remove_answers": True})
    assert await counts(evening, poll) == {"a": 0, "b": 4}


async def test_moderators_words_come_in_steps_too(evening: "Evening") -> None:
    """The list for moderation shows no word before it is released."""
    cloud = await evening.add_open("word_cloud", policy={**ANONYMOUS, "moderated": True})
    path = f"{evening.path}/activities/{cloud['id']}/moderation"
    words = []
    for number, guest in enumerate(await evening.join_many(4)):
        await evening.answer(guest, cloud, words=[f"word {number}"])
        words.append(len((await evening.api.get(path, headers=evening.host)).json()["items"]))
    assert words == [0, 0, 3, 3]


async def test_exports_name_nobody(evening: "Evening") -> None:
    """Anonymous answers come without name and time, in an order of their own, when it is closed."""
    poll = await evening.add_open("poll", title="Anonymous", policy=ANONYMOUS)
    secret = await evening.add("poll", title="Secret", policy=SECRET)
    guests = await evening.join_many(6)
    for number, guest in enumerate(guests):
        await evening.answer(guest, poll, choices=["b" if number % 2 else "a"])
    assert len(await export(evening)) == 1
    await evening.close(poll)
    await evening.open_(secret)
    for guest in guests:
        await evening.answer(guest, secret, choices=["a"])
    await evening.close(secret)
    rows = [row for row in await export(evening) if row["title"] == "Anonymous"]
    answers = [row for row in rows if "answer" in row]
    assert [row["answer"]["choices"] for row in answers] == [["a"]] * 3 + [["b"]] * 3
    assert not any(row.get("nickname") or row.get("answered_at") for row in answers)
    assert not any("answer" in row for row in await export(evening) if row["title"] == "Secret")
    for row in await export(evening, by="participant"):
        assert row["answers"] == {}


async def test_the_voter_is_told(evening: "Evening") -> None:
    """Whoever answers learns whether the answer is anonymous or secret."""
    guest = await evening.join()
    for policy in (ANONYMOUS, SECRET):
        poll = await evening.add_open("poll", policy=policy)
        answered = await evening.answer(guest, poll, choices=["a"])
        (name,) = policy.keys() - {"min_answers"}
        assert answered[name] is True
        await evening.close(poll)


async def test_points_are_not_anonymous(
    api: Client, evening: "Evening", problem_of: Callable[..., Any]
) -> None:
    """What has points needs to know whose answer it is, so it can't be anonymous or secret."""
    for policy in ({"anonymous": True}, {"secret": True}):
        body = {"type": "quiz", "title": "Quiz", "policy": policy, "config": {
            "options": [{"text": "3"}, {"text": "4", "correct": True}]}}  # fmt: skip
        response = await api.post(f"{evening.path}/activities", json=body, headers=evening.host)
        problem_of(response, 422)


async def kept(evening: "Evening", guests: "list[Guest]") -> None:
    """Let everybody answer a poll of the evening's own policy."""
    poll = await evening.add_open("poll")
    assert poll["policy"]["anonymous"] is True
    for guest in guests:
        await evening.answer(guest, poll, choices=["a"])


async def test_an_anonymous_session(make_evening: Callable[..., Any]) -> None:
    """Its activities are anonymous unless they say otherwise."""
    evening = await make_evening(settings={"anonymous": True})
    await evening.start()
    await kept(evening, await evening.join_many(2))
