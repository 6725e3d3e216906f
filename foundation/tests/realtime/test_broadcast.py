"""One publisher, many followers, and nobody waits for anybody."""

import asyncio
import json
from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bedplate.realtime import Batch, Broadcast, Follower, Numbered


def encode(entry: Numbered[int]) -> str:
    """Return the JSON of an item."""
    return json.dumps([entry.number, entry.item])


def broadcast(capacity: int = 100, interval_seconds: float = 0.001) -> Broadcast[int]:
    """Return a broadcast of numbers."""
    return Broadcast(capacity, encode, interval_seconds=interval_seconds)


@dataclass(frozen=True)
class Multiple:
    """A filter that is equal to every other one with the same number."""

    of: int

    def __call__(self, item: int) -> bool:
        """Whether it is a multiple."""
        return item % self.of == 0


@dataclass
class Unshareable:
    """A filter that can't be compared for good, since it may change."""

    def __call__(self, _: int) -> bool:
        """Want everything."""
        return True


async def collect(follower: Follower[int], until: int) -> list[int]:
    """Return the numbers of all items, up to the one numbered `until`."""
    numbers: list[int] = []
    async with asyncio.timeout(20):
        while follower.position < until:
            numbers += [entry.number for entry in (await anext(follower)).items]
    return numbers


async def test_followers_get_all_that_is_published_while_they_follow() -> None:
    """Two followers get every item once and in order; items before they came they don't get."""
    row = broadcast()
    row.publish(0)
    async with row.follow(None) as first, row.follow(None) as second:
        got = asyncio.gather(collect(first, 51), collect(second, 51))
        for item in range(50):
            row.publish(item)
            if item % 7 == 0:
                await asyncio.sleep(0.001)
        assert [*await got] == [list(range(2, 52))] * 2
        assert (first.lost, second.lost, row.followers) == (0, 0, 2)
    assert row.followers == 0


async def test_who_comes_back_loses_nothing_that_is_held() -> None:
    """Following after a number gives exactly the items after it, then the live ones."""
    row = broadcast(10)
    for item in range(15):
        row.publish(item)
    async with row.follow(8) as back, row.follow(2) as late, row.follow(0) as new:
        row.publish(15)
        assert await collect(back, 16) == list(range(9, 17))
        assert (await collect(late, 16), late.lost) == (list(range(7, 17)), 4)
        assert (await collect(new, 16), new.lost) == (list(range(7, 17)), 6)


@pytest.mark.parametrize(("after", "run"), [(9, None), (3, "another"), (-5, None)])
async def test_numbers_of_another_run_begin_anew(after: int, run: str | None) -> None:
    """After a restart the numbers begin at 1: whoever names older ones gets all that is held."""
    row = broadcast()
    for item in range(5):
        row.publish(item)
    async with row.follow(after, run=run) as follower:
        assert await collect(follower, 5) == [1, 2, 3, 4, 5]
    async with row.follow(3, run=row.run) as follower:
        assert await collect(follower, 5) == [4, 5]


async def test_a_slow_follower_loses_its_oldest_and_is_told_how_many() -> None:
    """A follower that sleeps through a flood goes on with what is held; a quick one has it all."""
    row = broadcast(100)
    async with row.follow(None) as slow, row.follow(None) as quick:
        numbers = asyncio.create_task(collect(quick, 1000))
        for item in range(1000):
            row.publish(item)
            if item % 50 == 49:
                await asyncio.sleep(0.003)
        assert await numbers == list(range(1, 1001))
        assert await collect(slow, 1000) == list(range(901, 1001))
        assert (slow.lost, quick.lost) == (900, 0)


def test_publishing_needs_nobody_and_no_loop() -> None:
    """Without followers there is nothing to wake, and the ring holds what it can."""
    row = broadcast(3)
    assert [row.publish(item) for item in range(5)] == [1, 2, 3, 4, 5]
    assert (row.first, row.last, row.tail(2), row.tail(9)) == (3, 5, 3, 2)
    assert [entry.item for entry in row.since(0)] == [2, 3, 4]
    assert [entry.item for entry in row.since(3, 1)] == [3]


async def test_equal_filters_at_one_place_share_their_batch() -> None:
    """A hundred followers with equal filters get the very same text, which is made once."""
    row = broadcast()
    async with asyncio.timeout(20), asyncio.TaskGroup() as tasks:
        ready, batches = asyncio.Semaphore(0), list[Batch[int]]()

        async def follow() -> None:
            async with row.follow(None, wants=Multiple(3)) as follower:
                ready.release()
                batches.append(await anext(follower))

        for _ in range(100):
            tasks.create_task(follow())
        for _ in range(100):
            await ready.acquire()
        for item in range(7):
            row.publish(item)
    assert len({id(batch.text) for batch in batches}) == 1
    assert batches[0].text == '{"type":"items","last":7,"items":[[1, 0],[4, 3],[7, 6]]}'


async def test_a_filter_can_change_and_must_be_hashable() -> None:
    """What comes after the change passes the new filter; one that can't be shared is refused."""
    row = broadcast()
    async with row.follow(None, wants=Multiple(2)) as follower:
        for item in range(4):
            row.publish(item)
        assert await collect(follower, 3) == [1, 3]
        follower.wants = Multiple(3)
        for item in range(4, 8):
            row.publish(item)
        assert await collect(follower, 7) == [7]
    with pytest.raises(TypeError, match="unhashable"):
        async with row.follow(None, wants=Unshareable()):
            pass


async def test_a_filter_that_wants_nothing_holds_up_nobody() -> None:
    """A follower goes through ten thousand unwanted items while others have their turns."""
    row = Broadcast(10_000, encode)
    for item in range(1, 10_001):
        row.publish(item)
    turns = 0

    async def take_turns() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    others = asyncio.create_task(take_turns())
    async with row.follow(0, wants=Multiple(10_000)) as follower:
        assert await collect(follower, 10_000) == [10_000]
    others.cancel()
    assert turns > 10


async def test_a_batch_is_bounded_by_number_and_weight() -> None:
    """However far behind a follower is, one batch is small enough for one frame."""
    row = Broadcast(5_000, lambda entry: entry.item, weigh=len, max_weight=10**9)
    for size in [10] * 2_000 + [100_000] * 20:
        row.publish("x" * size)
    batches = []
    async with row.follow(0) as follower:
        while follower.position < 2_020:
            batches.append(await anext(follower))
    assert max(len(batch.items) for batch in batches) == 500
    assert max(len(batch.text) for batch in batches) < 400_000
    assert [entry.number for batch in batches for entry in batch.items] == list(range(1, 2_021))


async def test_silence_ends_at_once_and_floods_are_bundled() -> None:
    """An item after a silence doesn't wait for the interval; those behind it come together."""
    row = broadcast(100, interval_seconds=600)
    async with row.follow(None) as follower, asyncio.timeout(20):
        row.publish(0)
        row.publish(1)
        assert [entry.number for entry in (await anext(follower)).items] == [1, 2]
        row.publish(2)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await anext(follower)
    async with row.follow(0) as follower, asyncio.timeout(20):
        assert [entry.number for entry in (await anext(follower)).items] == [1, 2, 3]


@given(
    st.lists(
        st.tuples(st.sampled_from(["publish", "read", "leave", "come back"]), st.integers(1, 9)),
        max_size=30,
    ),
    st.integers(1, 12),
)
@settings(max_examples=60, deadline=None)
def test_seen_and_lost_add_up(actions: list[tuple[str, int]], capacity: int) -> None:
    """Whatever order things happen in, a follower that comes back sees rising numbers, no gaps."""

    async def act() -> None:
        row, position, seen, lost = broadcast(capacity, 0), 0, list[int](), 0
        for action, amount in actions:
            if action == "publish":
                for item in range(amount):
                    row.publish(item)
            else:
                async with row.follow(position, run=row.run) as follower:
                    if row.last > position:
                        seen += await collect(follower, row.last)
                    position, lost = follower.position, lost + follower.lost
        assert seen == sorted(set(seen))
        assert len(seen) + lost == position

    asyncio.run(act())
