# ruff: noqa: RUF001 - letters of other scripts that look like Latin ones are the point
"""Joining: states, names, places, and the same join sent again."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

import httpx2
import pytest

from bedplate.testing.client import Client
from bedplate.testing.problems import ProblemOf

if TYPE_CHECKING:
    from backends.live.tests.conftest import Evening

MakeEvening = Callable[..., Awaitable["Evening"]]


async def post(evening: "Evening", nickname: object = None, **headers: str) -> httpx2.Response:
    """Join, and return the response."""
    body = {"code": evening.code, "nickname": nickname}
    return await evening.api.post(f"{evening.path}/participants", json=body, headers=headers)


async def names(evening: "Evening") -> list[str]:
    """Return the names of those who are in a session, in the order of their joining."""
    path = f"{evening.path}/participants?limit=1000"
    response = await evening.api.get(path, headers=evening.host)
    return [each["nickname"] for each in response.json()["items"]]


async def test_a_draft_is_not_joined_yet(make_evening: MakeEvening, problem_of: ProblemOf) -> None:
    """It is a 409 that names the state; after the start it is a place and a token."""
    evening = await make_evening()
    assert problem_of(await post(evening, "Ann"), 409)["state"] == "draft"
    await evening.start()
    joined = (await post(evening, "Ann")).json()
    assert joined.pop("token").startswith("p_")
    assert len(joined.pop("id")) == 36
    assert joined == {
        "session_id": evening.id, "nickname": "Ann", "renamed": False, "points": 0,
        "time_factor": 1.0,
    }  # fmt: skip


async def test_five_spellings_of_one_name_are_five_people(evening: "Evening") -> None:
    """At the same moment each gets a name of their own, and is notified which."""
    spellings = ["Anna", " ANNA ", "Ａnna", "An\u200bna", "Аnnа"]
    joined = [each.json() for each in await asyncio.gather(*(post(evening, n) for n in spellings))]
    assert Counter(each["renamed"] for each in joined) == {False: 1, True: 4}
    ends = sorted(each["nickname"][-1] for each in joined if each["renamed"])
    assert ends == ["2", "3", "4", "5"]
    assert sorted(await names(evening)) == sorted(each["nickname"] for each in joined)
    assert len({each["id"] for each in joined}) == 5


async def test_500_people_are_called_anna(make_evening: MakeEvening) -> None:
    """All of them join at once, and are numbered without a gap."""
    evening = await make_evening(max_participants=500)
    await evening.start()
    responses = await asyncio.gather(*(post(evening, "Anna") for _ in range(500)))
    assert {response.status_code for response in responses} == {201}
    expected = {"Anna", *(f"Anna {number}" for number in range(2, 501))}
    assert {response.json()["nickname"] for response in responses} == expected


@pytest.mark.parametrize(
    ("taken", "wanted", "given"),
    [
        (["Anna 2"], "Anna", "Anna"),
        (["Anna", "Anna 2"], "Anna", "Anna 3"),
        (["Anna", "Anna 3"], "Anna", "Anna 4"),
        (["Anna 999"], "Anna 999", "Anna 2"),
        (["Anna 2"], "anna2", "anna 3"),
        (["Anna", "Anna 999999999"], "ANNA", "ANNA 3"),
        (["x" * 50], "X" * 50, "X" * 42 + " 2"),
        (["x" * 50, "x" * 42 + " 2"], "x" * 50, "x" * 42 + " 3"),
        (["🎉", "🎉 2"], "🎉", "🎉 3"),
        (["مريم"], "\u200fمريم", "مريم 2"),
        (["12"], "12", "12 2"),
        (["Kind Bear"], "Kind\u2003 Bear", "Kind Bear 2"),
    ],
)
async def test_names_that_others_chose_to_be_in_the_way(
    evening: "Evening", taken: list[str], wanted: str, given: str
) -> None:
    """Whatever is taken, the next one gets a free name, not too long, and is notified."""
    for name in taken:
        assert not (await evening.join(name)).joined["renamed"]
    guest = await evening.join(wanted)
    assert guest.nickname == given
    assert guest.joined["renamed"] == (given != wanted)


async def test_many_numbers_in_the_way_cost_few_statements(make_evening: MakeEvening) -> None:
    """Who takes all numbers that come next makes nobody wait: the smallest free one is found."""
    evening = await make_evening(max_participants=200)
    await evening.start()
    await asyncio.gather(*(post(evening, f"Anna {n}") for n in range(100, 200)))
    assert [(await evening.join("Anna")).nickname for _ in range(3)] == ["Anna", "Anna 2", "Anna 3"]
    joined = await asyncio.gather(*(post(evening, "Anna") for _ in range(20)))
    assert {each.json()["nickname"] for each in joined} == {f"Anna {n}" for n in range(4, 24)}


async def test_a_session_may_give_the_names(make_evening: MakeEvening) -> None:
    """Then a wish is ignored, nobody is renamed, and 50 people have 50 names."""
    evening = await make_evening(settings={"nicknames": "generated"})
    await evening.start()
    info = (await evening.api.get(f"/api/v1/join/{evening.code}")).json()
    assert info["nicknames"] == "generated"
    responses = await asyncio.gather(*(post(evening, "Ann") for _ in range(50)))
    joined = [response.json() for response in responses]
    assert len({each["nickname"] for each in joined}) == 50
    assert not any(each["nickname"].startswith("Ann") for each in joined)
    response = await evening.api.post(
        f"{evening.path}/participants/check", json={"nickname": "Ann"}
    )
    assert response.json() == {"available": False, "nickname": None}


async def test_banned_words_are_no_names(make_evening: MakeEvening, problem_of: ProblemOf) -> None:
    """A name that holds one is a 422, as the check of it is; others in the batch join."""
    evening = await make_evening(settings={"banned_words": ["ass"]})
    await evening.start()
    tried = ["Dumb A55", "Cassandra", "a.s.s", "Ann"]
    responses = await asyncio.gather(*(post(evening, name) for name in tried))
    assert [response.status_code for response in responses] == [422, 201, 422, 201]
    problem = problem_of(responses[0], 422)
    assert problem["code"] == "nickname_refused"
    assert "A55" not in responses[0].text
    path = f"{evening.path}/participants/check"
    problem_of(await evening.api.post(path, json={"nickname": "ASS"}), 422)


async def test_a_name_can_be_checked_before(
    evening: "Evening", api: Client, problem_of: ProblemOf
) -> None:
    """The answer is the name that a join gets next, and takes none."""
    path = f"{evening.path}/participants/check"
    for _ in range(2):
        response = await api.post(path, json={"nickname": " Anna "})
        assert response.json() == {"available": True, "nickname": "Anna"}
    await evening.join("Anna")
    response = await api.post(path, json={"nickname": "ANNA"})
    assert response.json() == {"available": False, "nickname": "ANNA 2"}
    assert (await evening.join("ANNA")).nickname == "ANNA 2"
    nowhere = "/api/v1/sessions/00000000-0000-4000-8000-000000000000/participants/check"
    problem_of(await api.post(nowhere, json={"nickname": "Anna"}), 404)


async def test_late_joins_are_a_switch(make_evening: MakeEvening, problem_of: ProblemOf) -> None:
    """Without them nobody comes in after the first activity was opened; who is in may return."""
    evening = await make_evening(settings={"late_join": False})
    await evening.start()
    ann = await evening.join("Ann")
    poll = await evening.add_open("poll")
    assert problem_of(await post(evening, "Bob"), 409)["code"] == "join_closed"
    info = (await evening.api.get(f"/api/v1/join/{evening.code}")).json()
    assert (info["joinable"], info["full"]) == (False, False)
    await evening.close(poll)
    problem_of(await post(evening, "Bob"), 409)
    path = f"{evening.path}/participants/rejoin"
    assert (await evening.api.post(path, headers=ann.headers)).status_code == 200
    await evening.api.patch(
        evening.path, json={"settings": {"late_join": True}}, headers=evening.host
    )
    assert (await post(evening, "Bob")).status_code == 201


async def test_the_same_join_again_is_the_same_place(evening: "Evening") -> None:
    """20 times at once and once more later: one person, one token; another key is another one."""
    key = {"Idempotency-Key": "a" * 255}
    responses = list(await asyncio.gather(*(post(evening, "Ann", **key) for _ in range(20))))
    responses.append(await post(evening, "Ann", **key))
    assert {response.status_code for response in responses} == {201}
    assert len({response.text for response in responses}) == 1
    other = {"Idempotency-Key": "b" * 16}
    assert (await post(evening, "Ann", **other)).json()["nickname"] == "Ann 2"
    assert await names(evening) == ["Ann", "Ann 2"]
    assert (await evening.get())["participants"] == 2


async def test_a_key_is_of_one_session(evening: "Evening") -> None:
    """The same key in another session is a join there."""
    other = await type(evening).create(evening.api)
    await other.start()
    first = await evening.join("Ann", **{"Idempotency-Key": "k" * 16})
    second = await other.join("Ann", **{"Idempotency-Key": "k" * 16})
    assert first.id != second.id


async def test_a_full_session_lets_nobody_in_but_those_who_are_in_it(
    make_evening: MakeEvening, problem_of: ProblemOf
) -> None:
    """The last place is the last one, and its join may be sent again; a free place is taken."""
    evening = await make_evening(max_participants=2)
    await evening.start()
    ann = await evening.join("Ann")
    key = {"Idempotency-Key": "k" * 16}
    await evening.join("Bob", **key)
    assert problem_of(await post(evening, "Cat"), 409)["code"] == "session_full"
    assert (await post(evening, "Bob", **key)).status_code == 201
    await evening.do(f"participants/{ann.id}/kick")
    assert (await post(evening, "Cat")).status_code == 201
    problem_of(await post(evening, "Dan"), 409)


async def test_hosts_and_moderators_list_people_without_tokens_and_codes(
    evening: "Evening", problem_of: ProblemOf
) -> None:
    """In pages, in the order of joining; nobody else sees who is there."""
    guests = await evening.join_many(5)
    path = f"{evening.path}/participants"
    moderator, screen = await evening.link("moderator"), await evening.link("screen")
    url, listed = f"{path}?limit=2", []
    while True:
        response = await evening.api.get(url, headers=moderator)
        assert not any(guest.joined["token"] in response.text for guest in guests)
        assert evening.code not in response.text
        listed += response.json()["items"]
        if "next" not in response.links:
            break
        url = response.links["next"]["url"]
    assert [each["id"] for each in listed] == [guest.id for guest in guests]
    assert set(listed[0]) == {"id", "nickname", "state", "presence", "time_factor", "joined_at"}
    problem_of(await evening.api.get(path, headers=screen), 403)
    problem_of(await evening.api.get(path, headers=guests[0].headers), 403)
    problem_of(await evening.api.get(path), 401)
