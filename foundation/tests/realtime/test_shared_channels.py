"""Channels that processes share, on a real Valkey: order, replay, and outages of every kind."""

import asyncio
import json
import random
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import AsyncExitStack
from typing import Any

import pytest
from redis.asyncio import Redis

from bedplate.realtime import EVERYONE, ChannelFollower, Channels, Message, Position
from bedplate.realtime.channel import NO_EPOCH
from bedplate.realtime.channel_writer import ChannelWriter
from bedplate.realtime.position import UNKNOWN
from bedplate.testing.clock import SettableClock
from bedplate.testing.proxy import FaultProxy
from bedplate.testing.valkey import ValkeyServer

GENEROUS = 10.0
"""Seconds in which Valkey answers even on a busy machine."""


def everyone(value: object) -> dict[str, bytes]:
    """Return payloads that each audience gets."""
    return {EVERYONE: json.dumps(value).encode()}


def open_channels(
    url: str, timeout: float = GENEROUS, *, capacity: int = 100, **options: Any
) -> Channels:
    """Return the channels of one of several processes."""
    return Channels(
        url, namespace="test", capacity=capacity, pace=lambda _: 0.001, timeout=timeout, **options
    )


@pytest.fixture
async def pair(redis_url: str) -> AsyncIterator[tuple[Channels, Channels]]:
    """Give channels of two processes that share a Valkey."""
    async with open_channels(redis_url) as one, open_channels(redis_url) as other:
        yield one, other


@pytest.fixture
async def redis(redis_url: str) -> AsyncIterator[Redis]:
    """Give a client of its own."""
    async with Redis.from_url(redis_url) as client:
        yield client


@pytest.fixture
def server() -> Iterator[ValkeyServer]:
    """Give a Valkey of its own, to be paused and killed."""
    with ValkeyServer() as own:
        yield own


async def take(follower: ChannelFollower, last: str) -> list[Message]:
    """Return all messages up to those that come together with that event."""
    messages: list[Message] = []
    async with asyncio.timeout(30):
        while all(message.event != last for message in messages):
            messages += (await anext(follower)).items
    return messages


async def take_value(follower: ChannelFollower, data: bytes) -> None:
    """Wait for a message with that data."""
    async with asyncio.timeout(30):
        while all(message.data != data for message in (await anext(follower)).items):
            pass


def offsets(messages: list[Message]) -> list[int]:
    """Return the offsets of the durable events."""
    return [message.id.offset for message in messages if message.id is not None]


def names(messages: list[Message]) -> list[str]:
    """Return the names of the events."""
    return [message.event for message in messages]


async def until(condition: Callable[[], bool]) -> None:
    """Wait for what no event tells; fail when it takes far too long."""
    async with asyncio.timeout(30):
        while not condition():  # noqa: ASYNC110 - nobody announces it
            await asyncio.sleep(0.005)


async def test_two_processes_see_the_same_dense_order(redis_url: str) -> None:
    """Both publish at the same time; followers of both get all events in the same order."""

    async def publish(channels: Channels, first: int) -> None:
        for number in range(first, first + 100):
            channels.publish("a", "event", everyone(number))
            if number % 9 == 0:
                await asyncio.sleep(0.001)

    async with (
        open_channels(redis_url, capacity=1_000) as one,
        open_channels(redis_url, capacity=1_000) as other,
        one.follow("a", "x") as here,
        other.follow("a", "x") as there,
    ):
        assert here.position == Position(NO_EPOCH, 0)
        taking = [asyncio.create_task(take(follower, "end")) for follower in (here, there)]
        await asyncio.gather(publish(one, 0), publish(other, 100))
        await until(writer_of(one)._idle.is_set)
        await until(writer_of(other)._idle.is_set)
        one.publish("a", "end", everyone(None))
        first, second = await asyncio.gather(*taking)
        assert first == second
        assert offsets(first) == list(range(1, 202))
        numbers = [json.loads(message.data) for message in first[:-1]]
        assert sorted(numbers) == list(range(200))
        assert [n for n in numbers if n < 100] == list(range(100))
        assert here.position == there.position


@pytest.mark.parametrize("seed", range(4))
async def test_cuts_at_random_moments_lose_and_double_nothing(
    pair: tuple[Channels, Channels], seed: int
) -> None:
    """A client that is cut and comes back to any process sees each event once, in order."""
    chance = random.Random(seed)
    seen, notices, values = list[int](), list[str](), 0

    async def publish() -> None:
        # Fewer than a channel holds: on a slow machine a client may be late by all of them.
        for number in range(1, 91):
            chance.choice(pair).publish("a", "event", everyone(number))
            if chance.random() < 0.5:
                chance.choice(pair).set_latest("a", "k", "value", number, everyone(number))
            if chance.random() < 0.4:
                await asyncio.sleep(chance.random() / 500)
        await asyncio.sleep(0.3)
        pair[0].publish("a", "end", everyone(0))

    # A client knows a position only when it has read an event.
    pair[0].publish("a", "event", everyone(0))
    async with pair[0].follow("a", "x", position=Position(NO_EPOCH, 0)) as first:
        await until(lambda: first.position.offset == 1 or first._channel.last == 1)
        position = Position(first.position.epoch, 1)
    publishing = asyncio.create_task(publish())
    ended = False
    while not ended:
        async with chance.choice(pair).follow("a", "x", position=position) as follower:
            # Also when another process has sent what this one hasn't read yet.
            assert follower.recovered
            for _ in range(chance.randrange(1, 6)):
                async with asyncio.timeout(30):
                    items = (await anext(follower)).items
                for message in items:
                    if message.id is None:
                        values += message.event == "value"
                        notices += [message.event] if message.event != "value" else []
                    else:
                        seen.append(message.id.offset)
                        position = message.id
                        ended = message.event == "end"
                if ended:
                    break
        await asyncio.sleep(chance.random() / 200)
    await publishing
    assert (seen, notices) == (list(range(2, 93)), [])
    assert values


async def test_a_new_process_continues_where_others_are(redis_url: str) -> None:
    """After a restart of a process positions are valid; those too old or unknown are not."""
    async with open_channels(redis_url) as before, before.follow("a", "x") as follower:
        for number in range(150):
            before.publish("a", "event", everyone(number))
        before.publish("a", "end", everyone(None))
        last = (await take(follower, "end"))[-1].id
        assert last is not None
        epoch = last.epoch
    async with open_channels(redis_url) as after:
        for position, recovered in [
            (Position(epoch, 151), True),
            (Position(epoch, 51), True),
            (Position(epoch, 50), False),
            (Position(epoch, 152), True),
            (Position(epoch, 252), False),
            (Position("another", 151), False),
            (UNKNOWN, False),
            (None, False),
        ]:
            async with after.follow("a", "x", position=position) as follower:
                assert follower.recovered is recovered, position
                if not recovered:
                    assert follower.position == Position(epoch, 151)
        async with after.follow("a", "x", position=Position(epoch, 140)) as follower:
            after.publish("a", "more", everyone(None))
            assert offsets(await take(follower, "more")) == list(range(141, 153))


async def test_what_waits_is_written_before_the_end(redis_url: str) -> None:
    """What was published in the last moment of a process is stored."""
    async with open_channels(redis_url) as channels:
        for number in range(500):
            channels.publish("a", "event", everyone(number))
    async with open_channels(redis_url) as channels, channels.follow("a", "x") as follower:
        assert follower.position.offset == 500


async def test_values_of_one_process_reach_all(pair: tuple[Channels, Channels]) -> None:
    """Followers of each process get the latest value; outdated versions lose, wherever set."""
    one, other = pair
    async with one.follow("a", "x") as here, other.follow("a", "x") as there:
        for version in range(1, 50):
            one.set_latest("a", "k", "value", version, everyone(version))
        for follower in (here, there):
            await take_value(follower, b"49")
        other.set_latest("a", "k", "value", 48, everyone("outdated"))
        other.set_latest("a", "k", "value", 50, everyone(50))
        for follower in (here, there):
            assert (await anext(follower)).items == (Message("value", b"50"),)
        async with other.follow("a", "x") as late:
            assert (await anext(late)).items == (Message("value", b"50"),)


async def test_a_cleared_value_is_cleared_everywhere(
    pair: tuple[Channels, Channels], redis_url: str
) -> None:
    """A cleared key is gone in each process, and may begin with a low version again."""
    one, other = pair
    async with one.follow("a", "x") as here, other.follow("a", "x") as there:
        one.set_latest("a", "k", "value", 9, everyone(9))
        for follower in (here, there):
            await take_value(follower, b"9")
        one.clear_latest("a", "k")
        await until(lambda: all(not c._channels["a"]._values for c in pair))
        async with open_channels(redis_url) as third, third.follow("a", "x"):
            assert not third._channels["a"]._values
        one.clear_latest("a", "k")
        one.set_latest("a", "k", "value", 1, everyone("a new round"))
        for follower in (here, there):
            await take_value(follower, b'"a new round"')


async def test_audiences_and_odd_names_survive_the_way(pair: tuple[Channels, Channels]) -> None:
    """Payloads by audience arrive as they were published, in channels of any name."""
    one, other = pair
    name = "ключ {x} \ud800 :*"
    async with other.follow(name, "host") as host, other.follow(name, "screen") as screen:
        one.publish(name, "secret", {"host": '{"é":"日本"}'.encode()})
        one.publish(name, "bytes", {EVERYONE: b"\xff"})
        one.publish(name, "end", everyone(None))
        seen = [(m.event, m.data) for m in await take(host, "end")]
        assert seen[0] == ("secret", '{"é":"日本"}'.encode())
        assert seen[1] == ("bytes", "\ufffd".encode())
        assert names(await take(screen, "end")) == ["bytes", "end"]


async def test_namespaces_are_apart(redis_url: str) -> None:
    """Backends that share a Valkey don't see each other's events."""
    async with (
        open_channels(redis_url) as one,
        Channels(redis_url, namespace="another", timeout=GENEROUS) as other,
        one.follow("a", "x") as here,
        other.follow("a", "x") as there,
    ):
        one.publish("a", "one", everyone(1))
        other.publish("a", "other", everyone(1))
        assert names(await take(here, "one")) == ["one"]
        assert names(await take(there, "other")) == ["other"]


async def test_one_process_has_a_claim(pair: tuple[Channels, Channels]) -> None:
    """A claim is for one process, which may keep it; it ends with its time."""
    one, other = pair
    assert await one.claim("a", "k", 0.3)
    assert not await other.claim("a", "k", 0.3)
    assert await one.claim("a", "k", 0.3)
    assert await other.claim("a", "another", 0.3)
    assert await other.claim("b", "k", 0.3)
    async with asyncio.timeout(30):
        while not await other.claim("a", "k", 60):  # noqa: ASYNC110 - nobody announces it
            await asyncio.sleep(0.02)
    assert not await one.claim("a", "k", 0.3)


async def test_what_redis_keeps_is_bounded(pair: tuple[Channels, Channels], redis: Redis) -> None:
    """A stream has `capacity` events, and each key expires when nobody uses its channel."""
    one, _ = pair
    for number in range(300):
        one.publish("a", "event", everyone(number))
        one.set_latest("a", f"key {number}", "value", 1, everyone(number))
    one.clear_latest("a", "key 1")
    await until(writer_of(one)._idle.is_set)
    keys = await redis.keys()
    assert sorted(keys) == [b"test:{a}:changes", b"test:{a}:events", b"test:{a}:values"]
    assert await redis.xlen("test:{a}:events") == 100
    for key in keys:
        assert 590 < await redis.ttl(key) <= 600


async def test_a_channel_with_followers_does_not_expire(
    clock: SettableClock, pair: tuple[Channels, Channels], redis: Redis
) -> None:
    """While a channel is followed its keys live on, or each pause would begin a new epoch."""
    async with pair[0].follow("a", "x") as follower:
        pair[0].publish("a", "event", everyone(1))
        await take(follower, "event")
        await redis.expire("test:{a}:events", 100)
        clock.advance(seconds=20)
        async with asyncio.timeout(30):
            while await redis.ttl("test:{a}:events") <= 100:  # noqa: ASYNC110 - nobody announces it
                await asyncio.sleep(0.02)


async def test_copies_that_nobody_follows_are_forgotten(
    clock: SettableClock, pair: tuple[Channels, Channels]
) -> None:
    """A process forgets its copy after a minute, and reads it again for the next follower."""
    one, other = pair
    async with one.follow("a", "x") as follower:
        other.publish("a", "event", everyone(1))
        position = (await take(follower, "event"))[-1].id
    clock.advance(seconds=60)
    one.forget_idle()
    assert not one._channels
    other.publish("a", "missed", everyone(2))
    await until(writer_of(other)._idle.is_set)
    async with one.follow("a", "x", position=position) as follower:
        assert follower.recovered
        assert names(await take(follower, "missed")) == ["missed"]


def lines(captured_logs: list[Any]) -> list[str]:
    """Return the log lines about the store."""
    return [entry["event"] for entry in captured_logs if entry["event"].startswith("channel_store")]


async def test_a_killed_valkey_that_lost_all_begins_a_new_epoch(
    server: ValkeyServer, captured_logs: list[Any]
) -> None:
    """Followers learn of the outage and of its end, resync, and go on in a new epoch."""
    counts: dict[str, int] = {}

    def observe(what: str, count: int) -> None:
        counts[what] = counts.get(what, 0) + count

    async with (
        open_channels(server.url, 1.0, observe=observe) as one,
        open_channels(server.url, 1.0) as other,
        one.follow("a", "x") as here,
        other.follow("a", "x") as there,
    ):
        one.publish("a", "event", everyone(1))
        before = (await take(here, "event"))[-1].id
        await take(there, "event")
        assert before is not None
        server.kill()
        await until(lambda: not one.available and not other.available)
        one.publish("a", "dropped", everyone(0))
        await until(lambda: writer_of(one)._failing)
        for number in range(99):
            one.publish("a", "dropped", everyone(number))
            one.set_latest("a", "k", "value", number, everyone(number))
        assert names(await take(here, "unavailable"))[0] == "unavailable"
        assert names(await take(there, "unavailable")) == ["unavailable"]
        await take_value(here, b"98")  # values of this process go on
        async with asyncio.timeout(GENEROUS), one.follow("b", "x") as late:
            assert names(await take(late, "unavailable")) == ["unavailable"]
            assert not late.recovered
        assert await one.claim("a", "k", 1)
        server.start()
        messages: list[Message] = []
        for follower in (here, there):
            messages += await take(follower, "resync")
        assert "dropped" not in names(messages)
        await until(lambda: one.available and other.available)
        other.publish("a", "after", everyone(1))
        for follower in (here, there):
            messages += await take(follower, "after")
            after = next(m.id for m in reversed(messages) if m.event == "after")
            assert after is not None
            assert after.epoch != before.epoch
            assert after.offset == 2  # the first is `resync`
        if b"98" not in {message.data for message in messages}:
            await take_value(there, b"98")
        async with one.follow("a", "x", position=before) as stale:
            assert not stale.recovered
    assert counts["dropped"] == 100
    assert counts["outage"] == 1
    assert lines(captured_logs) == ["channel_store_lost"] * 2 + ["channel_store_back"] * 2


@pytest.mark.parametrize("fault", ["hang", "refuse"])
async def test_an_unreachable_valkey_stops_nobody(
    redis_url: str, fault: str, captured_logs: list[Any]
) -> None:
    """Whatever the network does, nothing waits for long, and events of others are caught up."""
    async with (
        FaultProxy(redis_url) as proxy,
        open_channels(proxy.url, 1.0) as cut_off,
        open_channels(redis_url) as other,
        cut_off.follow("a", "x") as here,
        other.follow("a", "x") as there,
    ):
        other.publish("a", "before", everyone(1))
        before = await take(here, "before")
        await (proxy.hang() if fault == "hang" else proxy.refuse())
        other.publish("a", "during", everyone(1))
        cut_off.publish("a", "dropped or not", everyone(1))
        async with asyncio.timeout(GENEROUS), cut_off.follow("b", "x"):
            assert await cut_off.claim("a", "k", 1)
        await until(lambda: writer_of(cut_off)._failing)
        cut_off.publish("a", "dropped", everyone(1))
        await proxy.heal()
        await until(lambda: cut_off.available and writer_of(cut_off)._idle.is_set())
        cut_off.publish("a", "after", everyone(1))
        heard, stored = await take(here, "after"), await take(there, "after")
        durable = [message for message in heard if message.id is not None]
        assert before + durable == stored
        assert offsets(stored) == list(range(1, len(stored) + 1))
        assert [n for n in names(heard) if n in {"unavailable", "available"}] in (
            ["unavailable", "available"],
            ["available"],  # this replaces what wasn't read in time
        )
        assert {"during", "resync"} < set(names(stored))
        assert "dropped" not in names(stored)
        assert len({message.id.epoch for message in stored if message.id}) == 1
    assert lines(captured_logs) == ["channel_store_lost", "channel_store_back"]


def writer_of(channels: Channels) -> ChannelWriter:
    """Return what writes to Valkey."""
    assert channels._shared is not None
    return channels._shared._writer


async def test_cut_connections_are_replaced(redis_url: str) -> None:
    """Cut again and again, a process loses no event of others and doubles none."""
    async with (
        FaultProxy(redis_url) as proxy,
        open_channels(proxy.url, GENEROUS) as cut_off,
        open_channels(redis_url) as other,
        cut_off.follow("a", "x") as follower,
    ):
        taking = asyncio.create_task(take(follower, "end"))
        for number in range(20):
            other.publish("a", "event", everyone(number))
            await asyncio.sleep(0.05)
            if number % 5 == 0:
                await proxy.cut()
        other.publish("a", "end", everyone(None))
        assert offsets(await taking) == list(range(1, 22))


async def test_a_paused_valkey_is_noticed_and_resumed(server: ValkeyServer) -> None:
    """A Valkey that hangs (SIGSTOP) blocks nothing; when it goes on, so do the events."""
    async with open_channels(server.url, 0.5) as channels, channels.follow("a", "x") as follower:
        channels.publish("a", "before", everyone(1))
        await take(follower, "before")
        server.pause()
        channels.publish("a", "during", everyone(1))
        await take(follower, "unavailable")
        server.resume()
        await take(follower, "resync")
        await until(lambda: channels.available)
        channels.publish("a", "after", everyone(1))
        await take(follower, "after")


async def test_it_starts_without_valkey(redis_url: str) -> None:
    """A process that starts during an outage serves, and catches up when it is over."""
    async with FaultProxy(redis_url) as proxy, open_channels(redis_url) as other:
        other.publish("a", "before", everyone(1))
        await proxy.refuse()
        async with (
            open_channels(proxy.url, 1.0) as late,
            late.follow("a", "x") as follower,
        ):
            assert not late.available
            assert not follower.recovered
            assert names(await take(follower, "unavailable")) == ["unavailable"]
            await proxy.heal()
            assert "before" not in names(await take(follower, "resync"))
            other.publish("a", "after", everyone(1))
            assert offsets(await take(follower, "after")) == [2]


async def test_lost_data_without_a_cut_begins_a_new_epoch(
    pair: tuple[Channels, Channels], redis: Redis
) -> None:
    """When somebody flushes Valkey, followers resync with the next event."""
    async with pair[0].follow("a", "x") as follower:
        pair[1].publish("a", "before", everyone(1))
        before = (await take(follower, "before"))[-1].id
        await redis.flushdb()
        pair[1].publish("a", "after", everyone(1))
        messages = await take(follower, "after")
        assert names(messages) == ["resync", "after"]
        assert offsets(messages) == [1]
        assert messages[-1].id != before


async def test_data_that_went_back_in_time_begins_a_new_epoch(redis_url: str, redis: Redis) -> None:
    """After a restart from an older state no offset is given to two events of an epoch."""
    async with (
        FaultProxy(redis_url) as proxy,
        open_channels(proxy.url, 5.0) as channels,
        channels.follow("a", "x") as follower,
    ):
        channels.publish("a", "kept", everyone(1))
        await take(follower, "kept")
        older = await redis.dump("test:{a}:events")
        assert older is not None
        channels.publish("a", "lost by Valkey", everyone(1))
        lost = (await take(follower, "lost by Valkey"))[-1].id
        await redis.restore("test:{a}:events", 100_000, older, replace=True)
        await proxy.cut()
        messages = await take(follower, "resync")
        channels.publish("a", "after", everyone(1))
        messages += await take(follower, "after")
        after = messages[-1].id
        assert after is not None
        assert lost is not None
        assert after.epoch != lost.epoch
        async with channels.follow("a", "x", position=lost) as stale:
            assert not stale.recovered


async def test_a_bad_payload_harms_no_other_event(
    pair: tuple[Channels, Channels], captured_logs: list[Any]
) -> None:
    """What can't be written is dropped and logged; what comes later is written."""
    bad: Mapping[str, Any] = {EVERYONE: "no bytes"}
    async with pair[1].follow("a", "x") as follower:
        pair[0].set_latest("a", "k", "value", 1, bad)
        pair[0].publish("a", "bad", bad)
        await take(follower, "resync")
        await until(lambda: pair[0].available)
        pair[0].publish("a", "good", everyone(1))
        await take(follower, "good")
    assert lines(captured_logs) == ["channel_store_lost", "channel_store_back"]


async def test_many_channels_at_once(pair: tuple[Channels, Channels]) -> None:
    """Followers of two hundred channels each get their own events, and only those."""
    one, other = pair
    async with AsyncExitStack() as stack:
        followers = [
            await stack.enter_async_context(other.follow(f"c{number}", "x"))
            for number in range(200)
        ]
        for number in range(200):
            one.publish(f"c{number}", "event", everyone(number))
        for number, follower in enumerate(followers):
            (message,) = await take(follower, "event")
            assert json.loads(message.data) == number
