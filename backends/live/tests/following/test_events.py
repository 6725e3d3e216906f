"""Streams of events: in their order, for those who may see them, and again after a cut."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

import httpx2
import pytest

if TYPE_CHECKING:
    from backends.live.tests.conftest import Evening
    from backends.live.tests.following.conftest import Instance, Listener, StartLive

Listen = Callable[..., Awaitable["Listener"]]
Clients = Callable[[str], httpx2.AsyncClient]


@pytest.fixture
async def evening(
    shared_instance: "Instance",
    clients: Clients,
    create_evening: Callable[..., Awaitable["Evening"]],
) -> "Evening":
    """Give a started session in a process that others use too."""
    made = await create_evening(clients(shared_instance.url))
    await made.start()
    return made


@pytest.fixture
async def instance(start_live: "StartLive", sqlite_url: str) -> "Instance":
    """Give a process that the test may end."""
    return await start_live(sqlite_url)


@pytest.fixture
async def own_evening(
    instance: "Instance", clients: Clients, create_evening: Callable[..., Awaitable["Evening"]]
) -> "Evening":
    """Give a started session in that process."""
    made = await create_evening(clients(instance.url))
    await made.start()
    return made


async def test_a_stream_begins_with_the_state_and_goes_on_with_what_happens(
    evening: "Evening", listen: Listen
) -> None:
    """A new follower gets the state, then each event once, in order, with dense offsets."""
    ann = await evening.join("Ann")
    listener = await listen(evening.api, evening.path, ann.headers)
    state = await listener.heard("state")
    assert state.data["state"] == "active"
    assert state.data["activity"] is None
    poll = await evening.add_open("poll")
    await evening.close(poll)
    await evening.reveal(poll)
    await listener.heard("activity.revealed")
    names = [event.name for event in listener.durable]
    assert names == ["activity.opened", "activity.closed", "activity.revealed"]
    first = listener.durable[0].offset
    assert [event.offset for event in listener.durable] == [first, first + 1, first + 2]
    assert listener.durable[0].data["config"]["options"][0]["text"] == "Yes"


async def test_what_is_newer_has_a_higher_version(evening: "Evening", listen: Listen) -> None:
    """Processes publish after their commits, so a client that has a newer one drops an older one.

    That goes for the state that clients poll too.
    """
    listener = await listen(evening.api, evening.path, evening.host)
    poll = await evening.add_open("poll")
    for step in ("close", "reveal", "reset", "open"):
        await evening.do(f"activities/{poll['id']}/{step}")
    for title in ("One", "Two"):
        await evening.api.patch(evening.path, json={"title": title}, headers=evening.host)
    state = (await evening.api.get(f"{evening.path}/state", headers=evening.host)).json()
    await evening.complete()
    await listener.heard("session.completed")
    of_activity, of_session = (
        [event.data["version"] for event in listener.durable if event.name.startswith(noun)]
        for noun in ("activity.", "session.")
    )
    assert (len(of_activity), len(of_session)) == (5, 3)
    for versions in (of_activity, of_session):
        assert versions == sorted(set(versions))
    assert state["activity"]["version"] == of_activity[-1]
    assert state["version"] == of_session[-2]


async def test_only_durable_events_have_an_id(evening: "Evening", listen: Listen) -> None:
    """Results, presence and numbers of people come without an id, events with one."""
    ann = await evening.join("Ann")
    host = await listen(evening.api, evening.path, evening.host)
    poll = await evening.add_open("poll")
    await evening.answer(ann, poll, choices=["a"])
    await evening.join("Bob")
    await host.until(lambda: {"results", "participants", "presence"} <= set(host.names))
    ephemeral = {"results", "participants", "presence"}
    assert all(not event.id for event in host.events if event.name in ephemeral)
    assert all(event.id for event in host.events if event.name.startswith("activity."))


async def test_results_reach_those_who_may_see_them(evening: "Evening", listen: Listen) -> None:
    """While a poll is open its host sees the result; a participant sees the number alone."""
    ann = await evening.join("Ann")
    poll = await evening.add_open("poll", policy={"results": "after_close"})
    host = await listen(evening.api, evening.path, evening.host)
    guest = await listen(evening.api, evening.path, ann.headers)
    await evening.answer(ann, poll, choices=["a"])
    await host.until(
        lambda: any(e.name == "results" and e.data["stored"] == 1 for e in host.events)
    )
    await guest.heard("results")
    shown = [event.data for event in host.events if event.name == "results"][-1]
    assert shown["result"]["counts"] == {"a": 1, "b": 0}
    assert shown["received"] == 1
    hidden = [event.data for event in guest.events if event.name == "results"]
    assert all("result" not in data for data in hidden)
    await evening.close(poll)
    await guest.until(
        lambda: any(e.name == "results" and e.data.get("result") for e in guest.events)
    )


@pytest.mark.parametrize("seed", range(3))
async def test_a_follower_that_is_cut_off_misses_nothing(
    evening: "Evening", listen: Listen, seed: int
) -> None:
    """However often it is cut off, amid results and presence, each event comes exactly once."""
    chance = random.Random(seed)
    ann = await evening.join("Ann")
    listener = await listen(evening.api, evening.path, ann.headers)
    poll = await evening.add_open("poll")
    for _ in range(12):
        await evening.answer(ann, poll, choices=[chance.choice("ab")])
        if chance.random() < 0.5:
            await listener.cut()
        await evening.close(poll)
        poll = await evening.add_open("poll")
        if listener.ended:
            await listener.start()
    await listener.until(lambda: listener.names.count("activity.opened") == 13)
    offsets = [event.offset for event in listener.durable]
    assert offsets == list(range(offsets[0], offsets[0] + 25))
    assert listener.names.count("state") == 1, "it never needed the state again"


@pytest.mark.parametrize("last_id", ["nonsense", "0123456789abcdef-3", "-", "x-" + "9" * 40])
async def test_an_unknown_position_gets_the_state(
    evening: "Evening", listen: Listen, last_id: str
) -> None:
    """A position of another epoch, or none at all, is no error: the state comes instead."""
    listener = await listen(evening.api, evening.path, evening.host, last_id)
    assert listener.status == 200
    assert (await listener.heard("state")).data["state"] == "active"


async def test_after_a_restart_the_state_comes_again(
    own_evening: "Evening", instance: "Instance", listen: Listen
) -> None:
    """A new process has another epoch: who comes back gets the state, and then what happens."""
    ann = await own_evening.join("Ann")
    listener = await listen(own_evening.api, own_evening.path, ann.headers)
    poll = await own_evening.add_open("poll")
    await listener.heard("activity.opened")
    epoch = listener.last_id.rpartition("-")[0]
    await asyncio.to_thread(instance.process.stop)
    await listener.until(lambda: listener.ended)
    await asyncio.to_thread(instance.process.start)
    await listener.start()
    await listener.until(lambda: listener.names.count("state") == 2)
    assert listener.events[-1].data["activity"]["id"] == poll["id"]
    assert not listener.last_id.startswith(epoch)
    await own_evening.close(poll)
    await listener.heard("activity.closed")


async def test_the_newest_stream_of_a_participant_is_the_live_one(
    evening: "Evening", listen: Listen
) -> None:
    """The older of two streams of a participant gets `replaced` and ends; hosts may have many."""
    ann = await evening.join("Ann")
    older = await listen(evening.api, evening.path, ann.headers)
    newer = await listen(evening.api, evening.path, ann.headers)
    await older.heard("replaced")
    await older.until(lambda: older.ended)
    hosts = [await listen(evening.api, evening.path, evening.host) for _ in range(2)]
    await evening.add_open("poll")
    for listener in (newer, *hosts):
        await listener.heard("activity.opened")
    assert not newer.ended


@pytest.mark.parametrize(("what", "again"), [("kick", 403), ("ban", 403)])
async def test_who_is_removed_follows_no_more(
    evening: "Evening", listen: Listen, what: str, again: int
) -> None:
    """The stream of a participant who is removed ends at once, and can't be opened again."""
    ann = await evening.join("Ann")
    listener = await listen(evening.api, evening.path, ann.headers)
    await evening.do(f"participants/{ann.id}/{what}")
    await listener.until(lambda: listener.ended)
    assert listener.names[-1] in {"kicked", "banned"}
    refused = await listen(evening.api, evening.path, ann.headers)
    assert refused.status == again


async def test_a_revoked_link_follows_no_more(evening: "Evening", listen: Listen) -> None:
    """The stream of a screen ends when its link is revoked."""
    link = await evening.do("links", {"role": "screen"})
    headers = {"Authorization": f"Bearer {link['token']}"}
    screen = await listen(evening.api, evening.path, headers)
    await screen.heard("state")
    path = f"{evening.path}/links/{link['id']}"
    assert (await evening.api.delete(path, headers=evening.host)).status_code == 204
    await screen.until(lambda: screen.ended)
    assert screen.names[-1] == "revoked"


async def test_a_process_that_goes_away_says_so(
    own_evening: "Evening", instance: "Instance", listen: Listen
) -> None:
    """On SIGTERM every stream gets `closing`, and the process ends in order."""
    listener = await listen(own_evening.api, own_evening.path, own_evening.host)
    await listener.heard("state")
    await asyncio.to_thread(instance.process.stop)
    await listener.until(lambda: listener.ended)
    assert listener.events[-1].name == "closing"
    assert instance.process.wait() == 0


async def test_others_sessions_are_not_followed(evening: "Evening", listen: Listen) -> None:
    """Without a token it is a 401, with one of another session a 403, for none at all a 404."""
    other = await type(evening).create(evening.api)
    statuses: dict[str, Any] = {}
    for name, path, headers in (
        ("none", evening.path, {}),
        ("other", evening.path, other.host),
        ("unknown", evening.path[:-1] + ("0" if evening.path[-1] != "0" else "1"), evening.host),
    ):
        statuses[name] = (await listen(evening.api, path, headers)).status
    assert statuses == {"none": 401, "other": 403, "unknown": 404}
