"""Those who poll: a 304 while nothing has changed, and never an old state."""

from typing import TYPE_CHECKING

from bedplate.database import Statement
from bedplate.testing.client import Client

if TYPE_CHECKING:
    from backends.live.tests.conftest import Evening


async def test_the_state_is_unchanged_until_something_happens(evening: "Evening") -> None:
    """The ETag stays while nothing changes, and is another after each change that is shown."""
    ann = await evening.join("Ann")
    path = f"{evening.path}/state"
    etags = []

    async def poll() -> None:
        first = await evening.api.get(path, headers=ann.headers)
        etag = first.headers["ETag"]
        again = await evening.api.get(path, headers={**ann.headers, "If-None-Match": etag})
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["ETag"] == etag
        etags.append(etag)

    await poll()
    activity = await evening.add_open("poll")
    await poll()
    await evening.answer(ann, activity, choices=["a"])
    await poll()
    await evening.close(activity)
    await poll()
    await evening.reveal(activity)
    await poll()
    await evening.join("Bob")
    await poll()
    await evening.complete()
    await poll()
    assert len(set(etags)) == 7


async def test_a_change_that_changes_nothing_is_none(evening: "Evening") -> None:
    """A PATCH with what a session or an open activity is already leaves the state's ETag."""
    activity = await evening.add_open("poll")
    session = (await evening.api.get(evening.path, headers=evening.host)).json()
    at = f"{evening.path}/activities/{activity['id']}"

    async def etag() -> str:
        etag: str = (await evening.api.get(f"{evening.path}/state", headers=evening.host)).headers[
            "ETag"
        ]
        return etag

    before = await etag()
    same = {name: session[name] for name in ("title", "description", "settings")}
    for path, body in (
        (evening.path, {}),
        (evening.path, same),
        (at, {}),
        (at, {"title": activity["title"]}),
    ):
        response = await evening.api.patch(path, json=body, headers=evening.host)
        assert response.status_code == 200, response.text
    assert await etag() == before
    for path in (evening.path, at):
        await evening.api.patch(path, json={"title": "Another"}, headers=evening.host)
        before, last = await etag(), before
        assert before != last


async def test_a_poll_costs_one_statement(
    evening: "Evening", run_statements: list[Statement]
) -> None:
    """A participant's poll that is answered 304 runs one statement."""
    ann = await evening.join("Ann")
    await evening.add_open("poll")
    path = f"{evening.path}/state"
    etag = (await evening.api.get(path, headers=ann.headers)).headers["ETag"]
    run_statements.clear()
    response = await evening.api.get(path, headers={**ann.headers, "If-None-Match": etag})
    assert response.status_code == 304
    mine = [each for each in run_statements if "live_round" in repr(each)]
    assert len(mine) == 1


async def test_the_state_shows_nothing_of_notes_and_solutions(evening: "Evening") -> None:
    """The activity in the state is the one that participants may see."""
    await evening.add_open("quiz", notes="Ask slowly.")
    state = (await evening.api.get(f"{evening.path}/state", headers=evening.host)).json()
    assert "notes" not in state["activity"]
    assert all(set(option) == {"id", "text"} for option in state["activity"]["config"]["options"])


async def test_strangers_get_no_state(evening: "Evening", api: Client) -> None:
    """Without a token it is a 401, with one of another session a 403."""
    other = await type(evening).create(api)
    assert (await api.get(f"{evening.path}/state")).status_code == 401
    assert (await api.get(f"{evening.path}/state", headers=other.host)).status_code == 403
