"""A session can be the template of another one."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

from bedplate.testing.problems import ProblemOf

if TYPE_CHECKING:
    from backends.live.tests.conftest import Evening

MakeEvening = Callable[..., Awaitable["Evening"]]

PREPARED = ("type", "title", "config", "policy", "seconds", "notes", "position")


async def activities_of(evening: "Evening", session_id: str) -> list[dict[str, Any]]:
    """Return the activities of a session, as its host sees them."""
    path = f"/api/v1/sessions/{session_id}/activities"
    response = await evening.api.get(path, headers=evening.host)
    assert response.status_code == 200, response.text
    items: list[dict[str, Any]] = response.json()["items"]
    return items


async def test_what_was_prepared_is_in_the_draft_and_what_happened_is_not(
    make_evening: MakeEvening,
) -> None:
    """A completed session's title, settings and activities come back as a draft of its host."""
    evening = await make_evening(
        title="Physics", description="Week 1", max_participants=7,
        settings={"late_join": False, "banned_words": ["damn"]},
    )  # fmt: skip
    await evening.start()
    guest = await evening.join("Ann")
    poll = await evening.add_open("poll", notes="Ask slowly", policy={"results": "host"})
    await evening.close(poll)
    await evening.add("quiz", seconds=30)
    await evening.add("word_cloud")
    await evening.complete()

    made = await evening.do("duplicate")
    assert made["state"] == "draft"
    assert made["participants"] == 0
    assert (made["started_at"], made["completed_at"]) == (None, None)
    for name in ("title", "description", "max_participants", "settings"):
        assert made[name] == evening.session[name], name
    assert made["id"] != evening.id
    assert made["code"] != evening.code

    before, after = (
        await activities_of(evening, evening.id),
        await activities_of(evening, made["id"]),
    )
    assert [a["type"] for a in after] == ["poll", "quiz", "word_cloud"]
    for old, new in zip(before, after, strict=True):
        assert [old[name] for name in PREPARED] == [new[name] for name in PREPARED]
        assert new["id"] != old["id"]
        assert (new["state"], new["round"], new["opened_at"]) == ("draft", 1, None)
    path = f"/api/v1/sessions/{made['id']}/state"
    assert (await evening.api.get(path, headers=guest.headers)).status_code == 403


async def test_a_draft_from_a_template_is_a_session_like_any_other(
    make_evening: MakeEvening,
) -> None:
    """It can have another title, it is started and joined, and the template stays as it was."""
    evening = await make_evening(title="Physics")
    await evening.add("poll")
    before = await evening.get()
    made = await evening.do("duplicate", {"title": "Chemistry"})
    assert made["title"] == "Chemistry"
    path = f"/api/v1/sessions/{made['id']}"
    assert (await evening.api.post(f"{path}/start", headers=evening.host)).status_code == 200
    body = {"code": made["code"], "nickname": "Ann"}
    assert (await evening.api.post(f"{path}/participants", json=body)).status_code == 201
    assert await evening.get() == before


async def test_only_the_host_may(evening: "Evening", problem_of: ProblemOf) -> None:
    """A co-host's, a moderator's, a screen's and a participant's token are refused."""
    path = f"{evening.path}/duplicate"
    for headers in (
        await evening.link("cohost"),
        await evening.link("moderator"),
        await evening.link("screen"),
        (await evening.join("Ann")).headers,
    ):
        problem_of(await evening.api.post(path, headers=headers), 403)
    problem_of(await evening.api.post(path), 401)
