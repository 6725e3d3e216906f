"""Sessions over HTTP: what makes one, who may do what with it, and what nobody is shown."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

import pytest
from fastapi import FastAPI
from sqlalchemy import text

from bedplate.database import Database
from bedplate.testing.client import Client, client
from bedplate.testing.clock import SettableClock
from bedplate.testing.problems import ProblemOf

if TYPE_CHECKING:
    from backends.live.tests.conftest import Evening

MakeApp = Callable[..., FastAPI]
MakeEvening = Callable[..., Awaitable["Evening"]]

SESSIONS = "/api/v1/sessions"
NOBODY = "00000000-0000-4000-8000-000000000000"


async def test_a_new_session_has_its_defaults(api: Client) -> None:
    """A title is enough: 100 places, late joins, chosen names, and a join URL with the code."""
    response = await api.post(SESSIONS, json={"title": "  Evening  "})
    made = response.json()
    assert response.status_code == 201, response.text
    assert response.headers["location"] == f"{SESSIONS}/{made['id']}"
    assert (made["title"], made["max_participants"], made["state"]) == ("Evening", 100, "draft")
    assert made["settings"] == {
        "late_join": True, "anonymous": False, "nicknames": "chosen", "banned_words": [],
    }  # fmt: skip
    assert made["join_url"].endswith(f"/join/{made['code']}")
    assert made["id"] not in made["join_url"]


async def test_the_hosts_token_is_shown_once_and_stored_as_a_hash(
    make_evening: MakeEvening, database: Database
) -> None:
    """No later answer has it, nor any table; nor do these have the token of a link."""
    evening = await make_evening()
    token = evening.session["host_token"]
    link = await evening.link("screen")
    later = [
        await evening.get(),
        (await evening.api.get(SESSIONS, headers=evening.host)).json(),
        (await evening.api.get(f"{evening.path}/links", headers=evening.host)).json(),
        await evening.do("start"),
    ]
    async with database.engine.connect() as connection:
        rows = [list(row) for row in await connection.execute(text("SELECT * FROM live_token"))]
    assert len(rows) == 2
    notified = json.dumps([later, rows], default=str)
    assert token not in notified
    assert link["Authorization"].removeprefix("Bearer ") not in notified


async def test_a_host_has_several_sessions_with_one_token(
    make_evening: MakeEvening, clock: SettableClock
) -> None:
    """A token sent along makes further sessions of the same host, who lists them newest first.

    The list has no codes, and nobody else's sessions.
    """
    first = await make_evening(title="First")
    titles = ["First"]
    for number in range(4):
        clock.advance(seconds=1)
        titles.append(f"Next {number}")
        further = await make_evening(first.host, title=titles[-1])
        assert further.session["host_token"] is None
        assert (await first.api.get(further.path, headers=first.host)).status_code == 200
    await make_evening(title="Somebody else's")
    listed: list[dict[str, Any]] = []
    url = f"{SESSIONS}?limit=2"
    while True:
        response = await first.api.get(url, headers=first.host)
        listed += response.json()["items"]
        if "next" not in response.links:
            break
        url = response.links["next"]["url"]
    assert [session["title"] for session in listed] == titles[::-1]
    assert first.code not in json.dumps(listed)


async def test_a_token_that_is_no_hosts_makes_no_session(
    evening: "Evening", problem_of: ProblemOf
) -> None:
    """A link's, a participant's and an invented token are 403s, as creating and listing go."""
    for headers in (
        await evening.link("cohost"),
        (await evening.join("Ann")).headers,
        {"Authorization": "Bearer h_" + "0" * 64},
    ):
        problem_of(await evening.api.post(SESSIONS, json={"title": "Mine"}, headers=headers), 403)
        problem_of(await evening.api.get(SESSIONS, headers=headers), 403)
    problem_of(await evening.api.get(SESSIONS), 401)


@pytest.mark.parametrize(
    "change",
    [
        {"title": "Morning"},
        {"description": "Bring\ntea"},
        {"max_participants": 10_000},
        {"settings": {"late_join": False, "banned_words": ["darn"]}},
        {"settings": {"late_join": False}},
        {"settings": {}},
        {},
    ],
)
async def test_a_change_changes_what_it_has(
    make_evening: MakeEvening, change: dict[str, Any]
) -> None:
    """The other fields stay as they were, and so do the other settings."""
    evening = await make_evening(description="Come all", settings={"banned_words": ["damn"]})
    response = await evening.api.patch(evening.path, json=change, headers=evening.host)
    assert response.status_code == 200, response.text
    expected = {**evening.session, **change}
    expected.pop("host_token")
    if "settings" in change:
        expected["settings"] = {**evening.session["settings"], **change["settings"]}
    assert response.json() == expected == await evening.get()


async def test_a_null_description_clears_it(make_evening: MakeEvening) -> None:
    """Null takes the description away, and is no title."""
    evening = await make_evening(description="Come all")
    for body, status in (({"description": None}, 200), ({"title": None}, 422)):
        response = await evening.api.patch(evening.path, json=body, headers=evening.host)
        assert response.status_code == status, response.text
    assert (await evening.get())["description"] is None


async def test_places_may_not_be_fewer_than_people(
    evening: "Evening", problem_of: ProblemOf
) -> None:
    """Fewer places than people are a 409; as many as people are fine, and full."""
    await evening.join_many(3)
    response = await evening.api.patch(
        evening.path, json={"max_participants": 2}, headers=evening.host
    )
    problem_of(response, 409)
    assert (await evening.get())["max_participants"] == 100
    response = await evening.api.patch(
        evening.path, json={"max_participants": 3}, headers=evening.host
    )
    assert response.status_code == 200
    info = (await evening.api.get(f"/api/v1/join/{evening.code}")).json()
    assert (info["full"], info["joinable"]) == (True, False)


async def test_who_may_do_what_with_a_session(evening: "Evening", problem_of: ProblemOf) -> None:
    """Hosts and co-hosts everything; moderators, screens, participants and strangers nothing.

    401 without a token, 403 with a wrong one, 404 for an unknown session.
    """
    cohost = await evening.link("cohost")
    stranger = await type(evening).create(evening.api)
    wrong = [
        await evening.link("moderator"),
        await evening.link("screen"),
        (await evening.join("Ann")).headers,
        stranger.host,
        {"Authorization": "Bearer nonsense"},
        {"Authorization": "Bearer p_nonsense"},
    ]
    calls: list[tuple[str, str, object]] = [
        ("GET", "", None), ("PATCH", "", {"title": "Mine"}), ("POST", "/start", None),
        ("POST", "/complete", None), ("GET", "/links", None),
        ("POST", "/links", {"role": "screen"}), ("DELETE", f"/links/{NOBODY}", None),
        ("DELETE", "", None),
    ]  # fmt: skip
    for method, rest, body in calls:
        for headers in wrong:
            response = await evening.api.request(
                method, evening.path + rest, json=body, headers=headers
            )
            problem_of(response, 403)
        problem_of(await evening.api.request(method, evening.path + rest, json=body), 401)
        response = await evening.api.request(
            method, f"{SESSIONS}/{NOBODY}{rest}", json=body, headers=evening.host
        )
        problem_of(response, 404)
    assert (await evening.get())["state"] == "active"
    response = await evening.api.patch(evening.path, json={"title": "Ours"}, headers=cohost)
    assert response.status_code == 200
    assert (await evening.api.delete(evening.path, headers=cohost)).status_code == 204


async def test_a_deleted_session_is_gone_with_everything_in_it(
    evening: "Evening", database: Database, problem_of: ProblemOf
) -> None:
    """Its paths, its code and its tokens are 404s, and no table has a row of it."""
    ann = await evening.join("Ann")
    poll = await evening.add_open("poll")
    await evening.answer(ann, poll, choices=["a"])
    await evening.link("screen")
    await evening.api.put(f"{evening.path}/tempo", json={"tempo": "fine"}, headers=ann.headers)
    response = await evening.api.delete(evening.path, headers=evening.host)
    assert response.status_code == 204
    for headers in (evening.host, ann.headers):
        problem_of(await evening.api.get(evening.path, headers=headers), 404)
        problem_of(await evening.api.get(f"{evening.path}/state", headers=headers), 404)
    problem_of(
        await evening.api.post(f"{evening.path}/participants/rejoin", headers=ann.headers), 404
    )
    heartbeat = await evening.api.post(
        f"{evening.path}/participants/heartbeat", headers=ann.headers
    )
    problem_of(heartbeat, 404)
    problem_of(await evening.api.get(f"/api/v1/join/{evening.code}"), 404)
    async with database.engine.connect() as connection:
        for table in ("session", "participant", "activity", "response", "counter", "tempo_vote"):
            count = await connection.execute(text(f"SELECT count(*) FROM live_{table}"))
            assert count.scalar_one() == 0, table


async def test_a_completed_session_refuses_every_change(
    evening: "Evening", problem_of: ProblemOf
) -> None:
    """Joins, rejoins, changes, activities, kicks and more time are 410s; reading goes on."""
    ann = await evening.join("Ann")
    poll = await evening.add("poll")
    await evening.complete()
    person = f"/participants/{ann.id}"
    join = {"code": evening.code, "nickname": "Bob"}
    calls: list[tuple[str, str, object, dict[str, str]]] = [
        ("PATCH", "", {"title": "New"}, evening.host),
        ("POST", "/participants", join, {}),
        ("POST", "/participants/rejoin", None, ann.headers),
        ("POST", "/participants/check", {"nickname": "Bob"}, {}),
        ("POST", f"{person}/kick", None, evening.host),
        ("POST", f"{person}/ban", None, evening.host),
        ("PATCH", person, {"time_factor": 2}, evening.host),
        ("POST", "/activities", {"type": "word_cloud", "title": "W"}, evening.host),
        ("POST", f"/activities/{poll['id']}/open", None, evening.host),
        ("DELETE", f"/activities/{poll['id']}", None, evening.host),
        ("PUT", "/tempo", {"tempo": "fine"}, ann.headers),
    ]
    for method, rest, body, headers in calls:
        response = await evening.api.request(
            method, evening.path + rest, json=body, headers=headers
        )
        problem_of(response, 410)
    problem_of(await evening.api.get(f"/api/v1/join/{evening.code}"), 410)
    assert (await evening.get())["participants"] == 1
    for rest in ("/state", "/leaderboard"):
        response = await evening.api.get(evening.path + rest, headers=ann.headers)
        assert response.status_code == 200, response.text


async def test_two_hosts_start_and_complete_at_once(evening: "Evening") -> None:
    """One of twenty starts takes, and one of twenty ends; the others are notified the state."""
    other = await type(evening).create(evening.api)
    for verb, refusal in (("start", 409), ("complete", 410)):
        calls = [other.api.post(f"{other.path}/{verb}", headers=other.host) for _ in range(20)]
        statuses = sorted(response.status_code for response in await asyncio.gather(*calls))
        assert statuses == [200] + [refusal] * 19


async def test_new_sessions_are_limited_by_address(
    evening: "Evening", make_app: MakeApp, problem_of: ProblemOf, clock: SettableClock
) -> None:
    """Duplicates count too, and so does a host who sends a token; other requests don't."""
    async with client(make_app(new_sessions_per_minute=3)) as api:
        for headers in ({}, evening.host):
            response = await api.post(SESSIONS, json={"title": "Evening"}, headers=headers)
            assert response.status_code == 201
        duplicate = f"{evening.path}/duplicate"
        assert (await api.post(duplicate, headers=evening.host)).status_code == 201
        for path, body in ((SESSIONS, {"title": "Evening"}), (duplicate, None)):
            response = await api.post(path, json=body, headers=evening.host)
            problem_of(response, 429)
            assert 0 < int(response.headers["retry-after"]) <= 60
        assert (await api.get(SESSIONS, headers=evening.host)).is_success
        body = {"code": evening.code, "nickname": "Ann"}
        assert (await api.post(f"{evening.path}/participants", json=body)).is_success
        clock.advance(seconds=120)
        assert (await api.post(SESSIONS, json={"title": "Evening"})).status_code == 201
