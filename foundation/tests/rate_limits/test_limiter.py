"""Decisions on Redis and without it, on a real Valkey that hangs, dies and comes back."""

import asyncio
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from bedplate.problems import ServiceUnavailable
from bedplate.rate_limits import Budget, DecisionName, FailurePolicy, Limiter
from bedplate.testing.clock import SettableClock
from bedplate.testing.valkey import ValkeyServer

GENEROUS = 5.0
FAST_PROBE = 0.02

# What one process of several does: spend as much as it can of the shared budget, at once.
SPENDER = """
import asyncio, sys
from bedplate.rate_limits import Budget, Limiter

async def main():
    async with Limiter(sys.argv[1], namespace="race", timeout=30) as limiter:
        print("ready", flush=True)
        await asyncio.to_thread(sys.stdin.readline)
        hits = (limiter.hit(Budget(100), "shared") for _ in range(200))
        print(sum(decision.allowed for decision in await asyncio.gather(*hits)))

asyncio.run(main())
"""


@pytest.fixture
def server() -> Iterator[ValkeyServer]:
    """A Valkey of its own, to be paused and killed."""
    with ValkeyServer() as own:
        yield own


class _Observer:
    """Collects the names of decisions, and waits for one."""

    def __init__(self) -> None:
        self.names: list[DecisionName] = []

    def __call__(self, name: DecisionName) -> None:
        self.names.append(name)


@asynccontextmanager
async def _limiter(
    url: str,
    *,
    on_failure: FailurePolicy = "fall_back",
    observe: Callable[[DecisionName], None] | None = None,
    timeout: float = 1.0,  # noqa: ASYNC109 - the limiter's own
) -> AsyncIterator[Limiter]:
    async with Limiter(
        url,
        namespace="test",
        on_failure=on_failure,
        timeout=timeout,
        probe_interval=FAST_PROBE,
        observe=observe,
    ) as limiter:
        yield limiter


async def _until_back(limiter: Limiter) -> None:
    probing = limiter._circuit._probing
    assert probing is not None
    async with asyncio.timeout(GENEROUS):
        await asyncio.wait([probing])


def _lines(entries: list[Any]) -> list[str]:
    return [entry["event"] for entry in entries if entry["event"].startswith("rate_limit_store")]


async def test_without_redis_a_process_counts_for_itself(clock: SettableClock) -> None:
    """Memory needs no server, and says what remains."""
    async with Limiter(namespace="test") as limiter:
        remaining = [(await limiter.hit(Budget(2), "who")).remaining for _ in range(3)]
        refused = await limiter.hit(Budget(2), "who")
        other = await limiter.hit(Budget(2), "another")
    assert remaining == [1, 0, 0]
    assert (refused.allowed, refused.retry_after) == (False, 60)
    assert (other.allowed, other.retry_after) == (True, 0)
    assert refused.reset == clock.now().timestamp() + 60


async def test_two_limiters_share_exactly_one_budget(redis_url: str) -> None:
    """200 hits at once through two connections: exactly 100 pass."""
    async with (
        _limiter(redis_url, timeout=GENEROUS) as one,
        _limiter(redis_url, timeout=GENEROUS) as two,
    ):
        hits = [limiter.hit(Budget(100), "who") for limiter in (one, two) for _ in range(100)]
        decisions = await asyncio.gather(*hits)
    assert sum(decision.allowed for decision in decisions) == 100
    assert sorted(d.remaining for d in decisions if d.allowed) == list(range(100))


async def test_two_processes_share_exactly_one_budget(redis_url: str) -> None:
    """Two real processes with 200 hits each, let go at once: exactly 100 pass in all."""
    command = (sys.executable, "-W", "error", "-c", SPENDER, redis_url)
    spenders = [
        await asyncio.create_subprocess_exec(*command, stdin=PIPE, stdout=PIPE) for _ in range(2)
    ]
    for spender in spenders:
        assert spender.stdout is not None
        assert await spender.stdout.readline() == b"ready\n"
    outputs = await asyncio.gather(*(spender.communicate(b"go\n") for spender in spenders))
    assert sum(int(output) for output, _ in outputs) == 100


async def test_namespaces_keep_backends_apart(redis_url: str) -> None:
    """Two backends on one Redis don't spend each other's budgets."""
    async with (
        Limiter(redis_url, namespace="one", timeout=GENEROUS) as one,
        Limiter(redis_url, namespace="two", timeout=GENEROUS) as two,
    ):
        assert (await one.hit(Budget(1), "who")).allowed
        assert (await two.hit(Budget(1), "who")).allowed
        assert not (await two.hit(Budget(1), "who")).allowed


async def test_a_hanging_redis_costs_one_timeout_and_comes_back(
    server: ValkeyServer, captured_logs: list[Any]
) -> None:
    """Only the first requests wait; then this process counts, until Redis is back."""
    observe = _Observer()
    async with _limiter(server.url, observe=observe) as limiter:
        assert (await limiter.hit(Budget(2), "who")).allowed
        server.pause()
        first = await asyncio.gather(*(limiter.hit(Budget(2), "who") for _ in range(5)))
        assert sum(decision.allowed for decision in first) == 2
        # With the circuit open nothing on the way to a decision awaits anything.
        with pytest.raises(StopIteration) as finished:
            limiter.hit(Budget(2), "who").send(None)
        assert not finished.value.value.allowed
        server.resume()
        await _until_back(limiter)
        assert (await limiter.hit(Budget(2), "another")).allowed
    assert _lines(captured_logs) == ["rate_limit_store_lost", "rate_limit_store_back"]
    assert observe.names == [
        "allowed",
        *["fallback_allowed"] * 2,
        *["fallback_refused"] * 4,
        "allowed",
    ]


async def test_a_killed_redis_is_replaced_when_it_is_back(
    server: ValkeyServer, captured_logs: list[Any]
) -> None:
    """Connection refused is an outage too, and ends without a restart of ours."""
    async with _limiter(server.url) as limiter:
        server.kill()
        assert (await limiter.hit(Budget(2), "who")).allowed
        server.start()
        await _until_back(limiter)
        decision = await limiter.hit(Budget(2), "who")
        assert (decision.allowed, decision.remaining) == (True, 1)
    assert _lines(captured_logs) == ["rate_limit_store_lost", "rate_limit_store_back"]


async def test_an_application_starts_while_redis_is_away(server: ValkeyServer) -> None:
    """The start isn't refused, and the limits are shared as soon as Redis is there."""
    server.kill()
    observe = _Observer()
    async with _limiter(server.url, observe=observe) as limiter:
        assert (await limiter.hit(Budget(2), "who")).allowed
        server.start()
        await _until_back(limiter)
        assert (await limiter.hit(Budget(2), "who")).remaining == 1
    assert observe.names == ["fallback_allowed", "allowed"]


async def test_the_policy_refuse_answers_503(server: ValkeyServer) -> None:
    """Where an unchecked request is worse than none, the client is asked to come back."""
    server.kill()
    observe = _Observer()
    async with _limiter(server.url, on_failure="refuse", observe=observe) as limiter:
        with pytest.raises(ServiceUnavailable) as refusal:
            await limiter.hit(Budget(2), "who")
    assert refusal.value.headers["Retry-After"] == "1"
    assert observe.names == ["fallback_unavailable"]


async def test_the_policy_allow_lets_everything_pass(server: ValkeyServer) -> None:
    """Where limits are a courtesy, nobody is refused during an outage."""
    server.kill()
    observe = _Observer()
    async with _limiter(server.url, on_failure="allow", observe=observe) as limiter:
        decisions = [await limiter.hit(Budget(1), "who") for _ in range(3)]
    assert all(decision.allowed for decision in decisions)
    assert observe.names == ["fallback_unchecked"] * 3


async def test_a_replica_that_cannot_write_is_an_outage_until_it_can(
    server: ValkeyServer, captured_logs: list[Any]
) -> None:
    """The probe decides on something: a ping would be answered all along."""
    from redis.asyncio import Redis  # noqa: PLC0415 - only here

    async with _limiter(server.url) as limiter, Redis.from_url(server.url) as redis:
        await redis.replicaof("127.0.0.1", "1")
        assert (await limiter.hit(Budget(1), "who")).allowed
        assert not (await limiter.hit(Budget(1), "who")).allowed
        await redis.replicaof("NO", "ONE")
        await _until_back(limiter)
        assert (await limiter.hit(Budget(1), "who")).allowed
    assert _lines(captured_logs) == ["rate_limit_store_lost", "rate_limit_store_back"]


async def test_a_password_is_never_logged(server: ValkeyServer, captured_logs: list[Any]) -> None:
    """The line about an outage says what happened, not how we log in."""
    url = server.url.replace("redis://", "redis://someone:hunter2-secret@")
    async with _limiter(url) as limiter:
        assert (await limiter.hit(Budget(1), "who")).allowed
    assert _lines(captured_logs) == ["rate_limit_store_lost"]
    assert "hunter2-secret" not in repr(captured_logs)


async def test_cancelled_requests_leave_the_limits_working(redis_url: str) -> None:
    """Clients that go away while their request is decided on disturb nobody."""
    async with _limiter(redis_url, timeout=GENEROUS) as limiter:
        tasks = [asyncio.create_task(limiter.hit(Budget(1_000), "who")) for _ in range(60)]
        await asyncio.sleep(0)
        for task in tasks[::3]:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        assert limiter._circuit.closed
        assert (await limiter.hit(Budget(1_000), "who")).allowed
