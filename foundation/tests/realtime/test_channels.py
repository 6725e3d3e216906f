"""Channels in one process: order, replay, audiences, latest values, and slow followers."""

import asyncio
import json
import random
from collections.abc import AsyncIterator

import pytest

from bedplate.realtime import EVERYONE, ChannelFollower, Channels, Message, Messages, Position
from bedplate.realtime.position import UNKNOWN
from bedplate.testing.clock import SettableClock


def everyone(value: object) -> dict[str, bytes]:
    """Return payloads that each audience gets."""
    return {EVERYONE: json.dumps(value).encode()}


@pytest.fixture
async def channels() -> AsyncIterator[Channels]:
    """Give channels of one process that hold a hundred events."""
    async with open_channels() as channels:
        yield channels


def open_channels(capacity: int = 100, **options: object) -> Channels:
    """Return channels of one process."""
    return Channels(
        None,
        namespace="test",
        capacity=capacity,
        pace=lambda _: 0.001,
        **options,  # type: ignore[arg-type]
    )


async def take(follower: ChannelFollower, last: str) -> list[Message]:
    """Return all messages up to those that come together with that event."""
    messages: list[Message] = []
    async with asyncio.timeout(20):
        while all(message.event != last for message in messages):
            messages += (await anext(follower)).items
    return messages


async def silent(follower: ChannelFollower) -> bool:
    """Return whether a follower gets nothing for a while."""
    try:
        async with asyncio.timeout(0.1):
            await anext(follower)
    except TimeoutError:
        return True
    return False


def offsets(messages: list[Message]) -> list[int]:
    """Return the offsets of the durable events."""
    return [message.id.offset for message in messages if message.id is not None]


async def test_events_are_dense_and_in_order(channels: Channels) -> None:
    """Each follower gets every event once, with offsets from 1 without a gap, in one epoch."""
    async with channels.follow("a", "x") as first, channels.follow("a", "y") as second:
        for number in range(50):
            channels.publish("a", "event", everyone(number))
            channels.publish("b", "event", everyone("of another channel"))
            if number % 7 == 0:
                await asyncio.sleep(0.001)
        channels.publish("a", "end", everyone(None))
        for follower in (first, second):
            messages = await take(follower, "end")
            assert offsets(messages) == list(range(1, 52))
            assert [json.loads(message.data) for message in messages[:-1]] == list(range(50))
            assert {message.id.epoch for message in messages if message.id} == {
                follower.position.epoch
            }
            assert follower.position == Position(first.position.epoch, 51)
        assert channels.followers("a") == 2
    assert channels.followers("a") == 0
    assert channels.followers("never used") == 0


async def test_who_comes_back_gets_what_it_missed(channels: Channels) -> None:
    """A position that is held is continued; one too old, of another epoch, or unknown is not."""
    for number in range(150):
        channels.publish("a", "event", everyone(number))
    async with channels.follow("a", "x") as new:
        epoch = new.position.epoch
        assert (new.recovered, new.position.offset) == (False, 150)
    for position, recovered, first in [
        (Position(epoch, 140), True, 141),
        (Position(epoch, 50), True, 51),
        (Position(epoch, 150), True, 151),
        (Position(epoch, 49), False, 151),
        (Position(epoch, 151), False, 151),
        (Position("another", 140), False, 151),
        (UNKNOWN, False, 151),
        (None, False, 151),
    ]:
        async with open_at(channels, position) as follower:
            assert follower.recovered is recovered, position
            assert follower.position.offset == first - 1
    async with channels.follow("a", "x", position=Position(epoch, 140)) as follower:
        channels.publish("a", "end", everyone(None))
        assert offsets(await take(follower, "end")) == list(range(141, 152))


def open_at(channels: Channels, position: Position | None):  # type: ignore[no-untyped-def]  # noqa: ANN201
    """Follow from a position."""
    return channels.follow("a", "x", position=position)


@pytest.mark.parametrize("seed", range(8))
async def test_cuts_at_random_moments_lose_and_double_nothing(
    channels: Channels, seed: int
) -> None:
    """A client that is cut again and again, with values in between, sees each event once."""
    chance = random.Random(seed)
    seen, position, values = list[int](), None, list[int]()

    async def publish() -> None:
        for number in range(1, 201):
            channels.publish("a", "event", everyone(number))
            if chance.random() < 0.5:
                channels.set_latest("a", f"key {number % 3}", "value", number, everyone(number))
            if chance.random() < 0.4:
                await asyncio.sleep(chance.random() / 500)
        channels.publish("a", "end", everyone(0))

    async with channels.follow("a", "x") as first:
        position = first.position
    publishing = asyncio.create_task(publish())
    ended = False
    while not ended:
        async with channels.follow("a", "x", position=position) as follower:
            assert follower.recovered
            for _ in range(chance.randrange(1, 6)):
                # A client only knows the ids that it read, wherever in a batch it was cut.
                items = (await anext(follower)).items
                read = items[: chance.randrange(len(items) + 1)] if chance.random() < 0.3 else items
                for message in read:
                    if message.id is None:
                        values.append(json.loads(message.data))
                    else:
                        seen.append(message.id.offset)
                        position = message.id
                        ended = message.event == "end"
                if ended or len(read) < len(items):
                    break
        await asyncio.sleep(chance.random() / 200)
    await publishing
    assert seen == list(range(1, 202))
    assert values


async def test_audiences_see_what_is_for_them(channels: Channels) -> None:
    """Each audience gets its own form, or nothing; offsets and positions count all events."""
    async with channels.follow("a", "host") as host, channels.follow("a", "screen") as screen:
        channels.publish("a", "secret", {"host": b'{"answer":42}'})
        channels.publish("a", "shown", {"host": b"1", EVERYONE: b"2"})
        channels.set_latest("a", "k", "value", 1, {"host": b"3"})
        channels.publish("a", "end", everyone(None))
        seen = [(m.event, m.data) for m in await take(host, "end") if m.id is not None]
        assert seen == [("secret", b'{"answer":42}'), ("shown", b"1"), ("end", b"null")]
        messages = await take(screen, "end")
        assert [(m.event, m.data) for m in messages] == [("shown", b"2"), ("end", b"null")]
        assert offsets(messages) == [2, 3]
        assert await silent(screen)


async def test_a_position_advances_over_events_of_others(channels: Channels) -> None:
    """A client learns a newer position before its own is too old, though nothing was for it."""
    async with channels.follow("a", "x") as follower:
        position = follower.position
        for number in range(1, 251):
            channels.publish("a", "event", {"others": b"1"})
            if number % 10 == 0:
                await asyncio.sleep(0.03)
                try:
                    async with asyncio.timeout(0.01):
                        messages = await anext(follower)
                except TimeoutError:
                    continue
                assert messages.items == ()
                assert messages.skipped is not None
                position = messages.skipped
                assert messages.sse == f"id: {position}\n\n".encode()
                assert messages.texts == (f'{{"id":"{position}"}}',)
        assert 250 - position.offset < 100
    async with channels.follow("a", "x", position=position) as follower:
        assert follower.recovered


async def test_bytes_are_made_once_for_an_audience(channels: Channels) -> None:
    """A hundred followers at one place get the very same bytes and texts."""
    batches: list[Messages] = []
    ready = asyncio.Semaphore(0)

    async def follow() -> None:
        async with channels.follow("a", "x") as follower:
            ready.release()
            batches.append(await anext(follower))

    async with asyncio.timeout(20), asyncio.TaskGroup() as tasks:
        for _ in range(100):
            tasks.create_task(follow())
        for _ in range(100):
            await ready.acquire()
        channels.publish("a", "event", everyone({"n": 1}))
    assert len(batches) == 100
    assert len({id(batch.sse) for batch in batches}) == 1
    assert len({id(batch.texts[0]) for batch in batches}) == 1
    identifier = batches[0].items[0].id
    assert batches[0].sse == f'event: event\nid: {identifier}\ndata: {{"n": 1}}\n\n'.encode()
    assert json.loads(batches[0].texts[0]) == {
        "id": str(identifier),
        "event": "event",
        "data": {"n": 1},
    }
    assert json.loads(batches[0].json) == [json.loads(batches[0].texts[0])]


async def test_latest_values_have_no_id_and_only_the_latest_counts(channels: Channels) -> None:
    """Of many values of a key followers get the newest; older versions are dropped."""
    async with channels.follow("a", "x") as follower:
        for version in (1, 2, 9, 5, 9):
            channels.set_latest("a", "k", "value", version, everyone(version))
        messages = await anext(follower)
        assert messages.sse == b"event: value\ndata: 9\n\n"
        assert json.loads(messages.texts[0]) == {"event": "value", "data": 9}
        channels.set_latest("a", "k", "value", 8, everyone(8))
        assert await silent(follower)
        channels.set_latest("a", "k", "value", 10, everyone(10))
        assert (await anext(follower)).items == (Message("value", b"10"),)


async def test_a_new_follower_gets_the_latest_values_at_once() -> None:
    """Whoever comes sees the current values, also those that others wait for; not cleared ones."""
    async with (
        Channels(None, namespace="test", pace=lambda _: 600, fast={"host"}) as channels,
        channels.follow("a", "x") as early,
        channels.follow("a", "host") as host,
    ):
        assert await silent(early)
        assert await silent(host)
        channels.set_latest("a", "k", "value", 1, everyone(1))
        for follower in (early, host):
            assert (await anext(follower)).items == (Message("value", b"1"),)
        channels.set_latest("a", "k", "value", 2, everyone(2))
        channels.set_latest("a", "gone", "value", 1, everyone("gone"))
        channels.clear_latest("a", "gone")
        async with channels.follow("a", "x") as late:
            assert (await anext(late)).items == (Message("value", b"2"),)
            assert await silent(late)
        assert await silent(early)
        channels.clear_latest("a", "k")
        channels.clear_latest("never used", "k")
        channels.set_latest("a", "k", "value", 1, everyone("a new round"))
        async with channels.follow("a", "x") as late:
            assert (await anext(late)).items == (Message("value", b'"a new round"'),)


async def test_durable_events_do_not_wait_for_the_pace_of_values() -> None:
    """While values rest, an event goes out, without them."""
    async with (
        Channels(None, namespace="test", pace=lambda _: 600) as channels,
        channels.follow("a", "x") as follower,
    ):
        assert await silent(follower)
        channels.set_latest("a", "k", "value", 1, everyone(1))
        assert (await anext(follower)).items[0].event == "value"
        channels.set_latest("a", "k", "value", 2, everyone(2))
        channels.publish("a", "event", everyone(1))
        async with asyncio.timeout(20):
            assert [m.event for m in (await anext(follower)).items] == ["event"]
        assert await silent(follower)


async def test_fast_audiences_get_values_while_others_wait() -> None:
    """The host sees each value at its own pace, whatever the number of followers."""
    paces = {1: 0.001, 2: 600}
    async with (
        Channels(
            None, namespace="test", pace=lambda followers: paces[followers], fast={"host"}
        ) as channels,
        channels.follow("a", "host") as host,
        channels.follow("a", "x") as other,
    ):
        assert await silent(host)
        assert await silent(other)
        for version in (1, 2, 3):
            channels.set_latest("a", "k", "value", version, everyone(version))
            async with asyncio.timeout(20):
                assert (await anext(host)).items[0].data == str(version).encode()
        assert (await anext(other)).items[0].data == b"1"
        assert await silent(other)


async def test_a_slow_follower_is_notified_and_holds_up_nobody() -> None:
    """One that sleeps through a flood learns how many events it lost, then gets those held."""
    lost: list[tuple[str, int]] = []
    async with (
        open_channels(observe=lambda what, count: lost.append((what, count))) as channels,
        channels.follow("a", "x") as slow,
        channels.follow("a", "x") as quick,
    ):
        taking = asyncio.create_task(take(quick, "end"))
        for number in range(999):
            channels.publish("a", "event", everyone(number))
            if number % 20 == 0:
                await asyncio.sleep(0.03)
        channels.publish("a", "end", everyone(None))
        assert offsets(await taking) == list(range(1, 1001))
        notice = await anext(slow)
        assert notice.sse == b'event: lost\ndata: {"count":900}\n\n'
        assert offsets(await take(slow, "end")) == list(range(901, 1001))
        assert (slow.lost, quick.lost) == (900, 0)
    assert ("lost", 900) in lost
    assert lost.count(("published", 1)) == 1000


async def test_a_follower_can_be_stopped_with_a_reason(channels: Channels) -> None:
    """A replaced follower gets that as its last message, at once, and the others go on."""
    async with channels.follow("a", "x") as old, channels.follow("a", "x") as new:
        waiting = asyncio.create_task(anext(old))
        await asyncio.sleep(0)
        old.stop("replaced")
        old.stop("kicked")
        assert (await waiting).sse == b"event: replaced\ndata: {}\n\n"
        channels.publish("a", "event", everyone(1))
        with pytest.raises(StopAsyncIteration):
            await anext(old)
        with pytest.raises(StopAsyncIteration):
            await anext(old)
        assert offsets(list((await anext(new)).items)) == [1]


async def test_the_end_of_the_channels_ends_their_followers() -> None:
    """Whoever still follows hears that it closes."""
    async with open_channels() as channels:
        context = channels.follow("a", "x")
        follower = await context.__aenter__()
    assert [m.event for m in (await anext(follower)).items] == ["closing"]
    await context.__aexit__(None, None, None)


async def test_idle_channels_are_forgotten(clock: SettableClock) -> None:
    """What nobody uses any more is forgotten after its time; then positions are unknown."""
    async with open_channels(idle_seconds=600) as channels:
        channels.publish("a", "event", everyone(1))
        channels.publish("b", "event", everyone(1))
        async with channels.follow("a", "x") as follower:
            position = follower.position
            clock.advance(seconds=599)
            channels.publish("c", "event", everyone(1))
            clock.advance(seconds=1)
            channels.forget_idle()
            assert set(channels._channels) == {"a", "c"}
        clock.advance(seconds=599)
        channels.forget_idle()
        async with channels.follow("a", "x", position=position) as follower:
            assert follower.recovered
        clock.advance(seconds=600)
        channels.forget_idle()
        assert not channels._channels
        async with channels.follow("a", "x", position=position) as follower:
            assert not follower.recovered


async def test_the_number_of_channels_and_their_bytes_are_bounded() -> None:
    """Beyond the bounds the channels without followers go, those unused for longest first."""
    async with (
        open_channels(max_channels=20, max_bytes=50_000) as channels,
        channels.follow("kept", "x"),
    ):
        for number in range(100):
            channels.publish(f"channel {number}", "event", everyone(number))
        assert len(channels._channels) <= 20
        assert {"kept", "channel 99"} <= set(channels._channels)
        for number in range(10):
            channels.publish(f"large {number}", "event", everyone("x" * 10_000))
        channels.forget_idle()
        assert sum(channel.weight for channel in channels._channels.values()) <= 50_000
        assert {"kept", "large 9"} <= set(channels._channels)


async def test_the_bytes_of_a_channel_are_bounded() -> None:
    """A channel with large events holds fewer of them."""
    async with open_channels(max_channel_bytes=100_000) as channels:
        for _number in range(50):
            channels.publish("a", "event", everyone("x" * 10_000))
        assert channels._channels["a"].weight <= 100_000


async def test_the_keys_of_a_channel_are_bounded(channels: Channels) -> None:
    """With too many keys the one that changed least recently goes."""
    for number in range(1_001):
        channels.set_latest("a", f"key {number}", "value", 1, everyone(number))
    async with channels.follow("a", "x") as follower:
        items = (await anext(follower)).items
    assert (len(items), items[0].data) == (1_000, b"1")


@pytest.mark.parametrize("name", ["", "a\nb", "a\rb", "a\0b", "x" * 201])
async def test_names_cannot_break_a_frame(channels: Channels, name: str) -> None:
    """A name with a line end, or of no length, is refused where it is published."""
    with pytest.raises(ValueError, match="name"):
        channels.publish("a", name, everyone(1))
    with pytest.raises(ValueError, match="name"):
        channels.set_latest("a", "k", name, 1, everyone(1))
    with pytest.raises(ValueError, match="name"):
        channels.publish(name, "event", everyone(1))


async def test_payloads_cannot_break_a_frame(channels: Channels) -> None:
    """A payload with line ends stays within its event; bytes that aren't UTF-8 break no text."""
    async with channels.follow("a", "x") as follower:
        channels.publish("a", "event", {EVERYONE: b"1\n\nevent: forged\ndata: 2\r\rid: 9\xff"})
        messages = await anext(follower)
        assert messages.sse.count(b"\n\n") == 1
        assert messages.sse.endswith(b"\n\n")
        assert [line for line in messages.sse.split(b"\n") if line.startswith(b"event")] == [
            b"event: event"
        ]
        assert "\ufffd" in messages.texts[0]


async def test_in_one_process_everything_is_available(channels: Channels) -> None:
    """Without Redis events reach all there are, and each claim is granted."""
    assert channels.available
    assert await channels.claim("a", "k", 1.0)
    assert await channels.claim("a", "k", 1.0)
