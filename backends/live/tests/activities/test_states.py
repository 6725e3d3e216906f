"""The states of an activity: what follows what, how one is open at a time, what is frozen."""

import asyncio
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any

import pytest

from bedplate.testing.client import Client, client
from bedplate.testing.problems import ProblemOf

if TYPE_CHECKING:
    from backends.live.tests.conftest import Evening, MakeApp


@pytest.fixture
async def other_api(make_app: "MakeApp") -> AsyncIterator[Client]:
    """Give a client of a second instance on the same database."""
    async with client(make_app()) as opened:
        yield opened


async def test_an_activity_goes_through_its_states_and_no_other_way(
    evening: "Evening", problem_of: "ProblemOf"
) -> None:
    """Each step is possible from one state alone; any other one is a 409 that names the state."""
    poll = await evening.add("poll")
    steps = ["open", "close", "reveal"]
    allowed = {"draft": "open", "open": "close", "closed": "reveal", "revealed": None}
    for state, step in allowed.items():
        shown = await evening.api.get(
            f"{evening.path}/activities/{poll['id']}", headers=evening.host
        )
        assert shown.json()["state"] == state
        for wrong in set(steps) - {step}:
            path = f"{evening.path}/activities/{poll['id']}/{wrong}"
            problem = problem_of(await evening.api.post(path, headers=evening.host), 409)
            assert (problem["code"], problem["state"]) == ("wrong_state", state)
        if step:
            await evening.do(f"activities/{poll['id']}/{step}")


async def test_a_reset_begins_a_round_and_keeps_the_old_one(
    evening: "Evening", problem_of: "ProblemOf"
) -> None:
    """After a reset the old round's result can still be read, and the new one starts at nothing."""
    ann = await evening.join("Ann")
    poll = await evening.add("poll")
    path = f"{evening.path}/activities/{poll['id']}/reset"
    assert problem_of(await evening.api.post(path, headers=evening.host), 409)["state"] == "draft"
    await evening.open_(poll)
    await evening.answer(ann, poll, choices=["a"])
    again = await evening.do(f"activities/{poll['id']}/reset")
    assert (again["state"], again["round"], again["opened_at"]) == ("draft", 2, None)
    gone = await evening.api.get(evening.responses(poll), headers=ann.headers)
    assert problem_of(gone, 404)["code"] == "not_answered"
    await evening.open_(poll)
    assert (await evening.answer(ann, poll, choices=["b"]))["round"] == 2
    results = f"/api/v1/activities/{poll['id']}/results"
    first = await evening.api.get(results, params={"round": 1}, headers=evening.host)
    assert first.json()["result"]["counts"] == {"a": 1, "b": 0}
    assert (await evening.results(poll))["result"]["counts"] == {"a": 0, "b": 1}


async def test_of_two_hosts_one_opens(
    evening: "Evening", other_api: Client, problem_of: "ProblemOf"
) -> None:
    """Two hosts open two activities at one moment over two instances: one 200, one 409, each time.

    What refuses the second is the database, so the open one is the one that was answered 200.
    """
    first, second = await evening.add("poll"), await evening.add("poll")
    for _ in range(5):
        answers = await asyncio.gather(
            *(
                api.post(f"{evening.path}/activities/{poll['id']}/open", headers=evening.host)
                for api, poll in ((evening.api, first), (other_api, second))
            )
        )
        assert sorted(answer.status_code for answer in answers) == [200, 409]
        refused = next(answer for answer in answers if answer.status_code == 409)
        assert problem_of(refused, 409)["code"] == "another_activity_open"
        opened = next(answer for answer in answers if answer.status_code == 200).json()
        shown = await evening.api.get(f"{evening.path}/activities", headers=evening.host)
        open_ids = [each["id"] for each in shown.json()["items"] if each["state"] == "open"]
        assert open_ids == [opened["id"]]
        await evening.do(f"activities/{opened['id']}/reset")


async def test_one_activity_opens_once(evening: "Evening", other_api: Client) -> None:
    """The same activity opened by ten requests at once: one 200, and one round."""
    poll = await evening.add("poll")
    path = f"{evening.path}/activities/{poll['id']}/open"
    answers = await asyncio.gather(
        *((evening.api, other_api)[i % 2].post(path, headers=evening.host) for i in range(10))
    )
    assert sorted(answer.status_code for answer in answers) == [200] + [409] * 9


async def test_all_activities_get_a_new_order_in_one_call(
    evening: "Evening", problem_of: "ProblemOf"
) -> None:
    """The order is what the call says; a missing, foreign or repeated id changes nothing."""
    made = [(await evening.add("poll", title=str(number)))["id"] for number in range(4)]
    order = [made[2], made[0], made[3], made[1]]
    answer = await evening.do("activities/reorder", {"ids": order})
    assert [each["id"] for each in answer["items"]] == order
    for wrong in (order[:3], [*order, order[0]], [*order[:3], evening.id], []):
        path = f"{evening.path}/activities/reorder"
        refused = await evening.api.post(path, json={"ids": wrong}, headers=evening.host)
        assert problem_of(refused, 409)["code"] == "order_incomplete"
    shown = await evening.api.get(f"{evening.path}/activities", headers=evening.host)
    assert [each["id"] for each in shown.json()["items"]] == order


async def test_a_new_activity_comes_last(evening: "Evening") -> None:
    """Also after others were deleted: no two share a place, and the new one is behind all."""
    made = [(await evening.add("poll"))["id"] for _ in range(3)]
    path = f"{evening.path}/activities/{made[0]}"
    assert (await evening.api.delete(path, headers=evening.host)).status_code == 204
    last = [(await evening.add("poll"))["id"] for _ in range(4)]
    shown = (await evening.api.get(f"{evening.path}/activities", headers=evening.host)).json()
    assert [each["id"] for each in shown["items"]] == [*made[1:], *last]
    assert len({each["position"] for each in shown["items"]}) == 6


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"config": {"options": [{"text": "one"}]}}, "too_short"),
        ({"config": {}}, "missing"),
        ({"config": {"options": [{"text": "a"}, {"text": "b"}], "more": 1}}, "extra_forbidden"),
        ({"type": "telepathy"}, "unknown_type"),
        ({"seconds": 0}, None),
        ({"seconds": True}, None),
        ({"title": ""}, None),
        ({"title": "x" * 501}, None),
        ({"policy": {"results": "never"}}, None),
    ],
)
async def test_what_doesnt_fit_is_refused(
    evening: "Evening", problem_of: "ProblemOf", change: dict[str, Any], code: str | None
) -> None:
    """An activity that doesn't fit its type is a 422 with the reason, and nothing is added."""
    body = {"type": "poll", "title": "T", "config": {"options": [{"text": "a"}, {"text": "b"}]}}
    path = f"{evening.path}/activities"
    refused = await evening.api.post(path, json={**body, **change}, headers=evening.host)
    problem = problem_of(refused, 422)
    assert problem["errors"]
    assert code is None or code in {error["code"] for error in problem["errors"]}
    assert (await evening.api.get(path, headers=evening.host)).json()["items"] == []


@pytest.mark.parametrize(
    ("type_", "policy"),
    [("quiz", {"anonymous": True}), ("quiz", {"secret": True}), ("questions", {"secret": True})],
)
async def test_a_policy_fits_its_type(
    evening: "Evening", problem_of: "ProblemOf", type_: str, policy: dict[str, Any]
) -> None:
    """Points need to know whose answer it is; an answer that grows can't be a secret ballot."""
    config = {"options": [{"text": "3"}, {"text": "4", "correct": True}]} if type_ == "quiz" else {}
    body = {"type": type_, "title": "T", "config": config}
    path = f"{evening.path}/activities"
    refused = await evening.api.post(path, json={**body, "policy": policy}, headers=evening.host)
    assert problem_of(refused, 422)["errors"][0]["field"] == "policy"
    made = await evening.add(type_)
    patched = await evening.api.patch(
        f"{path}/{made['id']}", json={"policy": policy}, headers=evening.host
    )
    assert patched.status_code == 422


async def test_what_was_answered_is_frozen(evening: "Evening", problem_of: "ProblemOf") -> None:
    """With answers, in any round, configuration and policy stay; titles don't."""
    ann = await evening.join("Ann")
    poll = await evening.add("poll")
    path = f"{evening.path}/activities/{poll['id']}"
    config = {"options": [{"text": "Tea"}, {"text": "Milk"}]}

    async def patch(status: int, **fields: object) -> dict[str, Any]:
        response = await evening.api.patch(path, json=fields, headers=evening.host)
        assert response.status_code == status, response.text
        body: dict[str, Any] = response.json()
        return body

    assert (await patch(200, config=config, seconds=9))["config"]["options"][0]["text"] == "Tea"
    await evening.open_(poll, seconds=600)
    for field, value in (("config", config), ("policy", {}), ("seconds", 5)):
        assert (await patch(409, **{field: value}))["state"] == "open"
    await evening.answer(ann, poll, choices=["a"])
    assert (await patch(200, title="Drinks?", notes=None))["title"] == "Drinks?"
    await evening.do(f"activities/{poll['id']}/reset")
    assert (await patch(409, config=config))["code"] == "activity_frozen"
    assert (await patch(409, policy={"secret": True}))["code"] == "activity_frozen"
    assert (await patch(200, seconds=7))["seconds"] == 7
    unchanged = await evening.api.get(path, headers=evening.host)
    assert unchanged.json()["policy"]["secret"] is False


async def test_an_activity_without_answers_is_not_frozen(evening: "Evening") -> None:
    """Opened and reset with no answer, its configuration can still be changed."""
    poll = await evening.add_open("poll")
    await evening.do(f"activities/{poll['id']}/reset")
    response = await evening.api.patch(
        f"{evening.path}/activities/{poll['id']}",
        json={"config": {"options": [{"text": "Tea"}, {"text": "Milk"}]}},
        headers=evening.host,
    )
    assert response.status_code == 200, response.text


async def test_what_is_over_doesnt_change(evening: "Evening", problem_of: "ProblemOf") -> None:
    """In a completed session every change of an activity is a 410, and the open one is closed."""
    draft, poll = await evening.add("poll"), await evening.add_open("poll")
    await evening.complete()
    at = f"{evening.path}/activities"
    shown = (await evening.api.get(f"{at}/{poll['id']}", headers=evening.host)).json()
    assert (shown["state"], shown["closed_by"]) == ("closed", "end")
    calls = [
        ("POST", at, {"type": "word_cloud", "title": "T"}),
        ("POST", f"{at}/reorder", {"ids": [draft["id"], poll["id"]]}),
        ("PATCH", f"{at}/{draft['id']}", {"title": "T"}),
        ("DELETE", f"{at}/{draft['id']}", None),
        ("POST", f"{at}/{draft['id']}/open", None),
        *(("POST", f"{at}/{poll['id']}/{step}", None) for step in ("close", "reveal", "reset")),
    ]
    for method, path, body in calls:
        refused = await evening.api.request(method, path, json=body, headers=evening.host)
        assert problem_of(refused, 410)["code"] == "session_completed", (method, path)


async def test_activities_belong_to_their_hosts(
    evening: "Evening", problem_of: "ProblemOf"
) -> None:
    """Another session's host gets a 404 or 403, a participant a 403, nobody a 401."""
    poll = await evening.add("poll")
    ann = await evening.join("Ann")
    other = await type(evening).create(evening.api)
    await other.start()
    for step in ("open", "close", "reveal", "reset"):
        path = f"activities/{poll['id']}/{step}"
        mine = await evening.api.post(f"{evening.path}/{path}", headers=other.host)
        assert problem_of(mine, 403)["code"] == "wrong_token"
        theirs = await evening.api.post(f"{other.path}/{path}", headers=other.host)
        assert problem_of(theirs, 404)["code"] == "activity_not_found"
        guest = await evening.api.post(f"{evening.path}/{path}", headers=ann.headers)
        assert problem_of(guest, 403)["code"] == "wrong_token"
        assert (await evening.api.post(f"{evening.path}/{path}")).status_code == 401
    still = await evening.api.get(f"{evening.path}/activities/{poll['id']}", headers=evening.host)
    assert still.json()["state"] == "draft"
