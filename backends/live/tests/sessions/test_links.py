"""Links for co-hosts, moderators and screens: made, listed and revoked."""

import asyncio
from typing import TYPE_CHECKING

import pytest

from bedplate.testing.problems import ProblemOf
from live.sessions import service

if TYPE_CHECKING:
    from backends.live.tests.conftest import Evening


READABLE = {"cohost": "", "moderator": "/participants", "screen": "/state"}


@pytest.mark.parametrize("role", READABLE)
async def test_a_revoked_link_is_refused_at_once(
    evening: "Evening", problem_of: ProblemOf, role: str
) -> None:
    """Its token works, then it doesn't; other links go on, and it is a 404 to revoke it again."""
    made = await evening.do("links", {"role": role, "label": "Hall 1"})
    headers = {"Authorization": f"Bearer {made['token']}"}
    other = await evening.link(role)
    path = evening.path + READABLE[role]
    assert (await evening.api.get(path, headers=headers)).status_code == 200
    link = f"{evening.path}/links/{made['id']}"
    assert (await evening.api.delete(link, headers=evening.host)).status_code == 204
    problem_of(await evening.api.get(path, headers=headers), 403)
    assert (await evening.api.get(path, headers=other)).status_code == 200
    problem_of(await evening.api.delete(link, headers=evening.host), 404)


async def test_a_revoked_links_stream_ends(evening: "Evening") -> None:
    """The one who follows by it is notified, and the stream is over; the other screen's goes on."""
    made = await evening.do("links", {"role": "screen"})
    headers = {"Authorization": f"Bearer {made['token']}"}
    stream = asyncio.create_task(evening.api.get(f"{evening.path}/events", headers=headers))
    other = asyncio.create_task(
        evening.api.get(f"{evening.path}/events", headers=await evening.link("screen"))
    )
    await asyncio.sleep(0.3)
    assert not stream.done(), stream.result().text
    await evening.api.delete(f"{evening.path}/links/{made['id']}", headers=evening.host)
    async with asyncio.timeout(5):
        response = await stream
    assert response.status_code == 200
    assert "revoked" in response.text
    assert not other.done()
    other.cancel()


async def test_links_are_listed_without_their_tokens(evening: "Evening") -> None:
    """The list has role and label, not the token; the host's own token is no link."""
    made = [await evening.do("links", {"role": role, "label": f"The {role}"}) for role in READABLE]
    response = await evening.api.get(f"{evening.path}/links", headers=evening.host)
    listed = response.json()["items"]
    assert sorted((each["role"], each["label"]) for each in listed) == sorted(
        (each["role"], each["label"]) for each in made
    )
    assert all(each["token"] not in response.text for each in made)
    assert all("token" not in each for each in listed)


async def test_a_link_opens_its_session_alone(evening: "Evening", problem_of: ProblemOf) -> None:
    """A co-host of one session is nobody in another one of the same host."""
    cohost = await evening.link("cohost")
    other = await type(evening).create(evening.api, evening.host)
    problem_of(await evening.api.get(other.path, headers=cohost), 403)
    link = (await other.do("links", {"role": "screen"}))["id"]
    response = await evening.api.delete(f"{evening.path}/links/{link}", headers=cohost)
    problem_of(response, 404)


async def test_links_are_limited(
    evening: "Evening", problem_of: ProblemOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One more than the limit is a 409, until one is revoked; also for many at once."""
    monkeypatch.setattr(service, "MAX_LINKS", 3)
    path = f"{evening.path}/links"
    calls = [
        evening.api.post(path, json={"role": "screen"}, headers=evening.host) for _ in range(40)
    ]
    responses = await asyncio.gather(*calls)
    assert sorted(each.status_code for each in responses) == [201] * 3 + [409] * 37
    listed = (await evening.api.get(path, headers=evening.host)).json()["items"]
    await evening.api.delete(f"{path}/{listed[0]['id']}", headers=evening.host)
    await evening.do("links", {"role": "screen"})
    response = await evening.api.post(path, json={"role": "screen"}, headers=evening.host)
    problem_of(response, 409)


@pytest.mark.parametrize(
    "body",
    [{}, {"role": "host"}, {"role": "participant"}, {"role": "screen", "label": ""},
     {"role": "screen", "label": "x" * 101}, {"role": ["screen"]}, [], "screen"],
)  # fmt: skip
async def test_what_is_no_link_is_refused(evening: "Evening", body: object) -> None:
    """A host's token can't be made this way, and labels have a length."""
    response = await evening.api.post(f"{evening.path}/links", json=body, headers=evening.host)
    assert response.status_code == 422
