"""One answer for each participant and round: again, changed, taken back, refused."""

import asyncio
from typing import TYPE_CHECKING, Any

import httpx2
import pytest

from bedplate.testing.clock import SettableClock
from bedplate.testing.problems import ProblemOf
from live.text import key_of

if TYPE_CHECKING:
    from backends.live.tests.conftest import Evening, Guest
    from backends.live.tests.responses.conftest import Check

A, B = {"choices": ["a"]}, {"choices": ["b"]}
Activity = dict[str, Any]


async def put(
    evening: "Evening", guest: "Guest", activity: Activity, answer: object
) -> httpx2.Response:
    """Return what the API says to an answer."""
    path = evening.responses(activity)
    return await evening.api.put(path, json={"answer": answer}, headers=guest.headers)


async def test_the_same_again_is_the_same(evening: "Evening", check: "Check") -> None:
    """A repeated answer is `already`, whatever the order of its parts; a GET returns it."""
    ann = await evening.join("Ann")
    poll = await evening.add_open(
        "poll", config={"options": [{"text": "1"}, {"text": "2"}, {"text": "3"}], "max_choices": 3},
        policy={"change": False},
    )  # fmt: skip
    first = await evening.answer(ann, poll, choices=["c", "a"])
    assert (first["status"], first["answer"]) == ("stored", {"choices": ["a", "c"]})
    assert (await evening.answer(ann, poll, choices=["a", "c"]))["status"] == "already"
    own = (await evening.api.get(evening.responses(poll), headers=ann.headers)).json()
    assert own["answer"] == {"choices": ["a", "c"]}
    shown = await evening.results(poll)
    assert (shown["received"], shown["stored"]) == (2, 1)
    assert shown["result"]["counts"] == {"a": 1, "b": 0, "c": 1}
    assert await check(poll) == 1


async def test_an_answer_is_changed_and_taken_back_where_it_may(
    evening: "Evening", problem_of: "ProblemOf", check: "Check"
) -> None:
    """With the switch on, another answer replaces the first, and a DELETE takes it away."""
    ann = await evening.join("Ann")
    poll = await evening.add_open("poll")
    await evening.answer(ann, poll, choices=["a"])
    assert (await evening.answer(ann, poll, choices=["b"]))["status"] == "changed"
    assert (await evening.results(poll))["result"]["counts"] == {"a": 0, "b": 1}
    path = evening.responses(poll)
    assert (await evening.api.delete(path, headers=ann.headers)).status_code == 204
    gone = await evening.api.delete(path, headers=ann.headers)
    assert problem_of(gone, 404)["code"] == "not_answered"
    assert (await evening.results(poll))["result"]["counts"] == {"a": 0, "b": 0}
    assert (await evening.answer(ann, poll, choices=["a"]))["status"] == "stored"
    assert await check(poll) == 1


async def test_an_answer_stays_where_it_may_not_change(
    evening: "Evening", problem_of: "ProblemOf", check: "Check"
) -> None:
    """With the switch off, another answer and a DELETE are 409s, and the first one stays."""
    ann = await evening.join("Ann")
    poll = await evening.add_open("poll", policy={"change": False})
    await evening.answer(ann, poll, choices=["a"])
    assert problem_of(await put(evening, ann, poll, B), 409)["code"] == "already_answered"
    refused = await evening.api.delete(evening.responses(poll), headers=ann.headers)
    assert problem_of(refused, 409)["code"] == "already_answered"
    assert (await evening.results(poll))["result"]["counts"] == {"a": 1, "b": 0}
    assert await check(poll) == 1


async def test_up_votes_can_always_change(evening: "Evening", check: "Check") -> None:
    """Questions and up-votes grow: they change even where the activity's switch is off."""
    ann, bob = await evening.join("Ann"), await evening.join("Bob")
    asked = await evening.add_open("questions", policy={"change": False})
    await evening.answer(ann, asked, questions=["When is lunch?"])
    await evening.answer(bob, asked, questions=["Who pays?"])
    more = {"questions": ["Who pays?"], "votes": [key_of("When is lunch?")]}
    assert (await evening.answer(bob, asked, **more))["status"] == "changed"
    listed = (await evening.results(asked))["result"]["questions"]
    assert {each["text"]: each["count"] for each in listed} == {"When is lunch?": 2, "Who pays?": 1}
    gone = await evening.api.delete(evening.responses(asked), headers=bob.headers)
    assert gone.status_code == 204
    assert await check(asked) == 1


async def test_nobody_votes_for_what_nobody_wrote(
    evening: "Evening", problem_of: "ProblemOf", check: "Check"
) -> None:
    """An up-vote for an unknown question is refused, also for one that was taken back."""
    ann, bob = await evening.join("Ann"), await evening.join("Bob")
    asked = await evening.add_open("questions")
    vote = {"votes": [key_of("When is lunch?")]}
    assert problem_of(await put(evening, bob, asked, vote), 422)["code"] == "unknown_item"
    await evening.answer(ann, asked, questions=["When is lunch?"])
    await evening.api.delete(evening.responses(asked), headers=ann.headers)
    assert problem_of(await put(evening, bob, asked, vote), 422)["code"] == "unknown_item"
    await evening.answer(ann, asked, questions=["when  is LUNCH?"])
    assert (await put(evening, bob, asked, vote)).status_code == 200
    assert await check(asked) == 2


async def test_an_up_vote_in_the_same_moment(evening: "Evening", check: "Check") -> None:
    """A question and up-votes for it that are stored together count, in the order of arrival."""
    guests = await evening.join_many(6)
    asked = await evening.add_open("questions")
    vote = {"votes": [key_of("Why?")]}
    answers = await asyncio.gather(
        put(evening, guests[0], asked, {}),  # the others wait while it is stored
        put(evening, guests[1], asked, vote),
        put(evening, guests[2], asked, {"questions": ["Why?"]}),
        *(put(evening, guest, asked, vote) for guest in guests[3:]),
    )
    assert [answer.status_code for answer in answers] == [200, 422, 200, 200, 200, 200]
    assert (await evening.results(asked))["result"]["questions"][0]["count"] == 4
    assert await check(asked) == 5


async def test_banned_words_are_refused(
    make_evening: Any, problem_of: "ProblemOf", check: "Check"
) -> None:
    """A banned word in any spelling is a 422 that doesn't repeat it; other words are taken."""
    evening: Evening = await make_evening(settings={"banned_words": ["Idiot"]})
    await evening.start()
    ann = await evening.join("Ann")
    cloud = await evening.add_open("word_cloud")
    for word in ("idiot", "ⅠDⅠOT", "an i\N{ZERO WIDTH SPACE}diot", "іdіоt"):  # noqa: RUF001
        refused = await put(evening, ann, cloud, {"words": ["fine", word]})
        assert problem_of(refused, 422)["code"] == "words_refused", word
        assert "idiot" not in refused.text.casefold()
    assert (await evening.answer(ann, cloud, words=["fine"]))["status"] == "stored"
    assert [each["text"] for each in (await evening.results(cloud))["result"]["words"]] == ["fine"]
    assert await check(cloud) == 1


async def test_each_of_a_batch_is_answered_on_its_own(
    evening: "Evening", problem_of: "ProblemOf", check: "Check"
) -> None:
    """Good, wrong, foreign, repeated and removed ones that are stored together: each its answer."""
    guests = await evening.join_many(6)
    other = await type(evening).create(evening.api)
    await other.start()
    stranger = await other.join("Stranger")
    poll = await evening.add_open("poll", policy={"change": False})
    await evening.do(f"participants/{guests[4].id}/kick")
    await evening.do(f"participants/{guests[5].id}/ban")
    sent: list[tuple[Guest, object, int]] = [
        (guests[0], A, 200),
        (guests[1], A, 200),
        (guests[1], A, 200),
        (guests[1], B, 409),
        (guests[2], {"choices": ["z"]}, 422),
        (guests[2], {"choices": []}, 422),
        (guests[2], {"choices": "a"}, 422),
        (guests[2], {"choices": ["a", "b"]}, 422),
        (guests[2], {}, 422),
        (guests[2], {"choices": ["a"], "more": 1}, 422),
        (stranger, A, 403),
        (guests[4], A, 403),
        (guests[5], A, 403),
        (guests[3], B, 200),
    ]
    answers = await asyncio.gather(
        *(put(evening, guest, poll, answer) for guest, answer, _ in sent)
    )
    assert [answer.status_code for answer in answers] == [status for _, _, status in sent]
    assert [problem_of(answers[i], 403)["code"] for i in (10, 11, 12)] == [
        "wrong_token", "participant_removed", "participant_removed",
    ]  # fmt: skip
    assert [problem_of(answers[i], 403).get("state") for i in (11, 12)] == ["kicked", "banned"]
    shown = await evening.results(poll)
    assert (shown["stored"], shown["result"]["counts"]) == (3, {"a": 2, "b": 1})
    assert shown["received"] == len(sent) - 1  # a stranger's isn't counted
    assert await check(poll) == 3


async def test_every_state_has_its_refusal(evening: "Evening", problem_of: "ProblemOf") -> None:
    """Unknown 404; draft, closed, revealed 409 with the state; completed 410; tokens 401, 403."""
    ann = await evening.join("Ann")
    unknown = {"id": "00000000-0000-4000-8000-000000000000"}
    assert problem_of(await put(evening, ann, unknown, A), 404)["code"] == "activity_not_found"
    poll = await evening.add("poll")
    for step, state in (("open", "draft"), ("reveal", "closed"), (None, "revealed")):
        problem = problem_of(await put(evening, ann, poll, A), 409)
        assert (problem["code"], problem["state"]) == ("wrong_state", state)
        gone = await evening.api.delete(evening.responses(poll), headers=ann.headers)
        assert problem_of(gone, 409)["state"] == state
        if step == "open":
            await evening.open_(poll)
            await evening.close(poll)
        elif step:
            await evening.reveal(poll)
    path = evening.responses(poll)
    nobody = await evening.api.put(path, json={"answer": A})
    assert nobody.status_code == 401
    as_host = await evening.api.put(path, json={"answer": A}, headers=evening.host)
    assert problem_of(as_host, 403)["code"] == "wrong_token"
    forged = ann.headers["Authorization"][:-3] + "AAA"
    refused = await evening.api.put(path, json={"answer": A}, headers={"Authorization": forged})
    assert problem_of(refused, 403)["code"] == "wrong_token"
    await evening.complete()
    assert problem_of(await put(evening, ann, poll, A), 410)["code"] == "session_completed"


async def test_a_session_that_ends_takes_no_answer(
    evening: "Evening", problem_of: "ProblemOf", check: "Check"
) -> None:
    """Its open activity is closed with it, and an answer is a 410."""
    ann, bob = await evening.join("Ann"), await evening.join("Bob")
    poll = await evening.add_open("poll")
    await evening.answer(ann, poll, choices=["a"])
    await evening.complete()
    assert problem_of(await put(evening, bob, poll, A), 410)["code"] == "session_completed"
    assert await check(poll) == 1


async def test_only_ones_own_answer_is_read(evening: "Evening", problem_of: "ProblemOf") -> None:
    """A GET knows no other participant than the token's; another session's token is a 403."""
    ann, bob = await evening.join("Ann"), await evening.join("Bob")
    poll = await evening.add_open("poll")
    await evening.answer(ann, poll, choices=["a"])
    path = evening.responses(poll)
    others = await evening.api.get(path, headers=bob.headers)
    assert problem_of(others, 404)["code"] == "not_answered"
    other = await type(evening).create(evening.api)
    await other.start()
    stranger = await other.join("Ann")
    foreign = await evening.api.get(path, headers=stranger.headers)
    assert problem_of(foreign, 403)["code"] == "wrong_token"
    await evening.do(f"participants/{ann.id}/kick")
    kicked = await evening.api.get(path, headers=ann.headers)
    assert problem_of(kicked, 403)["state"] == "kicked"


@pytest.mark.parametrize("how", ["kick", "ban"])
async def test_answers_of_the_removed_stay_or_go(
    evening: "Evening", check: "Check", how: str
) -> None:
    """They stay, unless the call says so: then every round's counters and the points lose them."""
    ann, bob = await evening.join("Ann"), await evening.join("Bob")
    poll = await evening.add_open("poll")
    for guest in (ann, bob):
        await evening.answer(guest, poll, choices=["a"])
    await evening.do(f"activities/{poll['id']}/reset")
    await evening.open_(poll)
    for guest in (ann, bob):
        await evening.answer(guest, poll, choices=["b"])
    await evening.do(f"participants/{ann.id}/{how}")
    assert (await evening.results(poll))["result"]["counts"] == {"a": 0, "b": 2}
    await evening.do(f"participants/{bob.id}/{how}", {"remove_answers": True})
    assert (await evening.results(poll))["result"]["counts"] == {"a": 0, "b": 1}
    assert await check(poll) == 2


async def test_who_comes_back_votes_again(evening: "Evening", check: "Check") -> None:
    """A kicked participant comes back with the token, and has the answer that stayed."""
    ann = await evening.join("Ann")
    poll = await evening.add_open("poll")
    await evening.answer(ann, poll, choices=["a"])
    await evening.do(f"participants/{ann.id}/kick")
    assert (await put(evening, ann, poll, B)).status_code == 403
    await evening.do("participants/rejoin", headers=ann.headers)
    assert (await evening.answer(ann, poll, choices=["a"]))["status"] == "already"
    assert (await evening.answer(ann, poll, choices=["b"]))["status"] == "changed"
    assert await check(poll) == 1


async def test_a_quiz_knows_when_it_was_answered(
    clock: SettableClock, evening: "Evening", check: "Check"
) -> None:
    """The server measures: who answers later gets fewer points, a change takes the later time."""
    ann, bob, eve = [await evening.join(name) for name in ("Ann", "Bob", "Eve")]
    quiz = await evening.add_open("quiz", seconds=10)
    for guest, choice in ((ann, "b"), (eve, "b")):
        await evening.answer(guest, quiz, choices=[choice])
    clock.advance(seconds=5)
    await evening.answer(bob, quiz, choices=["b"])
    for choice in ("a", "b"):
        await evening.answer(eve, quiz, choices=[choice])
    assert await check(quiz) == 3
    await evening.close(quiz)
    await evening.reveal(quiz)
    own = {
        guest.nickname: (await evening.results(quiz, guest.headers))["own"]["points"]
        for guest in (ann, bob, eve)
    }
    assert own == {"Ann": 1000, "Bob": 750, "Eve": 750}


@pytest.mark.parametrize(
    "body",
    [
        b'{"answer": {"choices": ["a\\u0000"]}}',
        b'{"answer": {"choices": ["\\ud800"]}}',
        b'{"answer": {"choices": [NaN]}}',
        b'{"answer": {"choices": [1e999, 18446744073709551616]}}',
        b'{"answer": {"choices": [true]}}',
        b'{"answer": {"\\u0000": 1, "choices": ["a"]}}',
        b'{"answer": [["a"]]}',
        b'{"answer": null}',
        b'{"answer": {"choices": ["a"]}, "participant_id": 1}',
        b'{"answer": ' + b"[" * 5000 + b"]" * 5000 + b"}",
        b'{"answer": {"choices": ' + b"[" * 60 + b"]" * 60 + b"}}",
        b"[]",
        b"",
    ],
)
async def test_hostile_answers_change_nothing(evening: "Evening", body: bytes) -> None:
    """Each is a 4xx, and nothing is stored."""
    ann = await evening.join("Ann")
    poll = await evening.add_open("poll")
    answer = await evening.api.put(
        evening.responses(poll), content=body,
        headers={**ann.headers, "Content-Type": "application/json"},
    )  # fmt: skip
    assert 400 <= answer.status_code < 500, answer.text
    assert (await evening.results(poll))["stored"] == 0
