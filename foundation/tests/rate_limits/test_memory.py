"""The store of one process."""

import asyncio

from hypothesis import given
from hypothesis import strategies as st
from limits import RateLimitItemPerMinute
from limits.aio.strategies import SlidingWindowCounterRateLimiter

from bedplate.rate_limits.budget import Budget, decide
from bedplate.rate_limits.memory import MemoryWindows
from bedplate.testing.clock import SettableClock

WINDOW = 10
PAUSES = st.lists(st.floats(0, 6), min_size=1, max_size=120)


@given(PAUSES, st.integers(1, 8))
def test_there_is_no_burst_above_the_sliding_limit(pauses: list[float], limit: int) -> None:
    """In any span up to a window long, no more passes than the limit and what fades meanwhile."""
    with SettableClock() as clock:
        store, passed = MemoryWindows(), []
        for pause in pauses:
            clock.advance(seconds=pause)
            if store.spend("key", limit, WINDOW).allowed:
                passed.append(clock.monotonic())
    for position, end in enumerate(passed):
        for start in passed[: position + 1]:
            if end - start < WINDOW:
                count = sum(start <= moment <= end for moment in passed)
                assert count <= limit + limit * (end - start) / WINDOW + 1


@given(PAUSES, st.integers(1, 8))
def test_no_window_of_the_clock_lets_more_than_the_limit_pass(
    pauses: list[float], limit: int
) -> None:
    """Within one window, cut as the clock cuts them, the limit is exact."""
    with SettableClock() as clock:
        store, passed = MemoryWindows(), dict[float, int]()
        for pause in pauses:
            clock.advance(seconds=pause)
            window = clock.monotonic() // WINDOW
            allowed = store.spend("key", limit, WINDOW).allowed
            passed[window] = passed.get(window, 0) + allowed
    assert max(passed.values()) <= limit


@given(PAUSES, st.integers(1, 8))
def test_a_client_that_waits_for_retry_after_gets_through(pauses: list[float], limit: int) -> None:
    """After `retry_after` seconds the next request passes."""
    with SettableClock() as clock:
        store = MemoryWindows()
        for pause in pauses:
            clock.advance(seconds=pause)
            windows = store.spend("key", limit, WINDOW)
            if not windows.allowed:
                decision = decide(Budget(limit, WINDOW), windows, clock.now().timestamp())
                clock.advance(seconds=decision.retry_after + 0.001)
                assert store.spend("key", limit, WINDOW).allowed


def test_a_boundary_gives_no_second_burst(clock: SettableClock) -> None:
    """A budget spent at the end of one window isn't whole again at the start of the next."""
    store = MemoryWindows()
    clock.advance(seconds=59)
    assert sum(store.spend("key", 100, 60).allowed for _ in range(200)) == 100
    clock.advance(seconds=2)
    assert sum(store.spend("key", 100, 60).allowed for _ in range(200)) == 2


def test_keys_and_window_lengths_are_counted_apart(clock: SettableClock) -> None:
    """Two keys, and one key under two budgets, don't spend each other's."""
    store = MemoryWindows()
    assert store.spend("one", 1, 60).allowed
    assert store.spend("two", 1, 60).allowed
    assert store.spend("one", 1, 3_600).allowed
    assert not store.spend("one", 1, 60).allowed


def test_what_is_over_is_forgotten(clock: SettableClock) -> None:
    """Keys of two windows ago take no memory, however many there were."""
    store = MemoryWindows()
    for number in range(1_000):
        store.spend(f"address {number}", 10, 60)
    clock.advance(seconds=121)
    store.spend("another", 10, 60)
    [counters] = store._counters.values()
    assert (len(counters.previous), len(counters.current)) == (0, 1)


def test_a_flood_of_addresses_is_bounded(clock: SettableClock) -> None:
    """Beyond the most keys of a window, the oldest gives way; the youngest still count."""
    store = MemoryWindows(max_keys=100)
    for number in range(10_000):
        store.spend(f"address {number}", 1, 60)
    [counters] = store._counters.values()
    assert len(counters.current) == 100
    assert not store.spend("address 9999", 1, 60).allowed


async def test_a_hit_starts_no_task_and_no_lock() -> None:
    """What `limits` does on every hit, and what grows with the number of keys, doesn't happen."""
    store = MemoryWindows()
    before = asyncio.all_tasks()
    for number in range(100):
        await store.acquire_sliding_window_entry(f"address {number}", 10, 60)
    assert asyncio.all_tasks() == before
    assert store.locks == {}


async def test_it_is_a_storage_of_limits(clock: SettableClock) -> None:
    """`limits`' own strategy works on it and sees the same counts."""
    store = MemoryWindows()
    strategy = SlidingWindowCounterRateLimiter(store)
    minute = RateLimitItemPerMinute(3)
    assert [await strategy.hit(minute, "who") for _ in range(4)] == [True, True, True, False]
    assert (await strategy.get_window_stats(minute, "who")).remaining == 0
    assert not store.spend(minute.key_for("who"), 3, 60).allowed
    await strategy.clear(minute, "who")
    assert await strategy.test(minute, "who")
    assert await store.reset() == 0
