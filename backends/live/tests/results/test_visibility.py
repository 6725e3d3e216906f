"""Who sees which results when: by the policy, over HTTP and in the events."""

from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any

import pytest

from bedplate.testing.client import Client
from bedplate.testing.problems import ProblemOf

if TYPE_CHECKING:
    from backends.live.tests.conftest import Evening, Guest
    from backends.live.tests.results.conftest import RememberingChannels

Status = Callable[..., Awaitable[int]]
Seen = dict[str, int]

YES, NO = 200, 403
SHOWN = {
    # who: draft, open, closed, revealed
    "live": {
        "voter": (NO, YES, YES, YES), "other": (NO, YES, YES, YES), "screen": (NO, YES, YES, YES)
    },
    "after_vote": {
        "voter": (NO, YES, YES, YES), "other": (NO, NO, YES, YES), "screen": (NO, NO, YES, YES)
    },
    "after_close": {
        "voter": (NO, NO, YES, YES), "other": (NO, NO, YES, YES), "screen": (NO, NO, YES, YES)
    },
    "after_reveal": {
        "voter": (NO, NO, NO, YES), "other": (NO, NO, NO, YES), "screen": (NO, NO, NO, YES)
    },
    "host": {
        "voter": (NO, NO, NO, NO), "other": (NO, NO, NO, NO), "screen": (NO, NO, NO, NO)
    },
}  # fmt: skip


@pytest.fixture
async def people(evening: "Evening") -> "dict[str, Guest]":
    """Two participants, one of whom votes."""
    return {"voter": await evening.join("Voter"), "other": await evening.join("Other")}


@pytest.mark.parametrize("when", SHOWN)
async def test_over_http(
    evening: "Evening", people: "dict[str, Guest]", status_of: Status, when: str
) -> None:
    """Everyone sees the results in exactly the states that the policy names; hosts always do."""
    roles = {name: guest.headers for name, guest in people.items()}
    roles["screen"] = await evening.link("screen")
    poll = await evening.add("poll", policy={"results": when, "screen": when})
    seen: list[Seen] = []

    async def look() -> None:
        seen.append({name: await status_of(poll, headers) for name, headers in roles.items()})
        for headers in (evening.host, await evening.link("moderator")):
            assert await status_of(poll, headers) == YES

    await look()
    await evening.open_(poll)
    await evening.answer(people["voter"], poll, choices=["a"])
    await look()
    await evening.close(poll)
    await look()
    await evening.reveal(poll)
    await look()
    for name, statuses in SHOWN[when].items():
        assert tuple(each[name] for each in seen) == statuses, name


@pytest.mark.parametrize("when", SHOWN)
async def test_in_events(
    evening: "Evening", people: "dict[str, Guest]", channels: "RememberingChannels", when: str
) -> None:
    """Events show an audience counts in the same states; before, only how many answered."""
    poll = await evening.add_open("poll", policy={"results": when, "screen": when})
    await evening.answer(people["voter"], poll, choices=["a"])
    shown = {"open": await channels.until_host(stored=1)}
    for state, step in (("closed", evening.close), ("revealed", evening.reveal)):
        await step(poll)
        shown[state] = await channels.until_host(state=state)
    for place, state in enumerate(("open", "closed", "revealed"), 1):
        payloads = shown[state].payloads
        for audience, who in (("participant", "other"), ("screen", "screen")):
            assert ("result" in payloads[audience]) == (SHOWN[when][who][place] == YES)
            assert payloads[audience]["stored"] == 1
            assert "received" not in payloads[audience]
        assert payloads["host"]["received"] == 1
        assert payloads["host"]["result"]["counts"] == {"a": 1, "b": 0}


async def test_each_audience_has_its_own_policy(evening: "Evening", status_of: Status) -> None:
    """What the screen shows and what phones show are two switches."""
    poll = await evening.add_open("poll", policy={"results": "host", "screen": "live"})
    guest = await evening.join()
    assert await status_of(poll, guest.headers) == NO
    assert await status_of(poll, await evening.link("screen")) == YES


async def test_strangers_see_nothing(
    api: Client, evening: "Evening", make_evening: Callable[..., Any], problem_of: ProblemOf
) -> None:
    """A host or participant of another session is refused, and so is nobody."""
    poll = await evening.add_open("poll")
    other = await make_evening()
    await other.start()
    path = f"/api/v1/activities/{poll['id']}/results"
    for headers in (other.host, (await other.join()).headers):
        assert problem_of(await api.get(path, headers=headers), 403)["code"] == "wrong_token"
    problem_of(await api.get(path), 401)
    problem_of(await api.get(path.replace(poll["id"], evening.id), headers=evening.host), 404)


async def test_withheld_results_say_when(
    api: Client, evening: "Evening", problem_of: ProblemOf
) -> None:
    """The refusal names the policy, so that a page can say what to wait for."""
    poll = await evening.add_open("poll", policy={"results": "after_close"})
    guest = await evening.join()
    path = f"/api/v1/activities/{poll['id']}/results"
    document = problem_of(await api.get(path, headers=guest.headers), 403)
    assert (document["code"], document["visible"]) == ("results_withheld", "after_close")


async def test_unchanged_results_are_304(api: Client, evening: "Evening") -> None:
    """The same ETag gets 304 until an answer or a change of state; audiences have other ETags."""
    guest = await evening.join()
    poll = await evening.add_open("poll")
    path = f"/api/v1/activities/{poll['id']}/results"

    async def get(etag: str, headers: Mapping[str, str] = guest.headers) -> tuple[int, str]:
        response = await api.get(path, headers={**headers, "If-None-Match": etag})
        return response.status_code, response.headers["ETag"]

    _, first = await get('"none"')
    assert await get(first) == (304, first)
    await evening.answer(guest, poll, choices=["a"])
    status, second = await get(first)
    assert (status, second != first) == (200, True)
    assert (await get(second, evening.host))[0] == 200
    await evening.close(poll)
    assert (await get(second))[0] == 200


async def test_earlier_rounds(api: Client, evening: "Evening", problem_of: ProblemOf) -> None:
    """A round keeps its results when it is reset; they are seen when the new round's are."""
    guest = await evening.join()
    poll = await evening.add_open("poll", policy={"results": "after_close"})
    path = f"/api/v1/activities/{poll['id']}/results"
    await evening.answer(guest, poll, choices=["a"])
    await evening.close(poll)
    await evening.do(f"activities/{poll['id']}/reset")
    await evening.open_(poll)
    await evening.answer(guest, poll, choices=["b"])
    problem_of(await api.get(path, params={"round": 1}, headers=guest.headers), 403)
    first = (await api.get(path, params={"round": 1}, headers=evening.host)).json()
    assert (first["round"], first["state"]) == (1, "closed")
    assert first["result"]["counts"] == {"a": 1, "b": 0}
    await evening.close(poll)
    for number, counts in ((1, {"a": 1, "b": 0}), (2, {"a": 0, "b": 1})):
        shown = await api.get(path, params={"round": number}, headers=guest.headers)
        assert shown.json()["result"]["counts"] == counts
    problem_of(await api.get(path, params={"round": 3}, headers=guest.headers), 404)


async def test_an_activity_without_answers_has_a_result(evening: "Evening") -> None:
    """Nobody answered, or it was never opened: there is an explicit empty result."""
    poll = await evening.add("poll")
    assert (await evening.results(poll))["result"] == {"answers": 0, "counts": {"a": 0, "b": 0}}
    await evening.open_(poll)
    assert (await evening.results(poll))["stored"] == 0


async def test_hosts_see_received_and_stored(api: Client, evening: "Evening") -> None:
    """An answer that is sent three times is received three times and stored once."""
    guest = await evening.join()
    poll = await evening.add_open("poll")
    for _ in range(3):
        await evening.answer(guest, poll, choices=["a"])
    shown = await evening.results(poll)
    assert (shown["received"], shown["stored"]) == (3, 1)
    assert "received" not in await evening.results(poll, guest.headers)
