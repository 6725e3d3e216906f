from collections.abc import Callable
from typing import Literal, Self

from limits.errors import StorageError

from bedplate import clock
from bedplate.problems import ServiceUnavailable
from bedplate.rate_limits.budget import Budget, Decision, Windows, decide
from bedplate.rate_limits.circuit import Circuit
from bedplate.rate_limits.memory import MemoryWindows

FailurePolicy = Literal["fall_back", "refuse", "allow"]
"""What happens while Redis is down: count in memory, refuse every request, or allow it."""

DecisionName = Literal[
    "allowed",
    "refused",
    "fallback_allowed",
    "fallback_refused",
    "fallback_unavailable",
    "fallback_unchecked",
]
"""How one request was decided, as the metric names it; `fallback_…`: while Redis is down."""


class Limiter:
    """Decides whether requests are within their budgets; opened in the lifespan.

    A store counts a request that may pass (`spend`); `decision.decide` turns its counts into the
    decision. Without `redis_url` every process counts alone. With one (Redis or Valkey) processes
    share their counts, under keys that begin with `namespace`.

    When Redis doesn't answer within `timeout` seconds, `on_failure` applies until it does:
    `fall_back` counts in this process, `refuse` answers 503, `allow` lets every request pass.
    Redis is then probed every `probe_interval` seconds, and no request waits for it. `observe`
    receives the name of each decision, for metrics.
    """

    def __init__(
        self,
        redis_url: str | None = None,
        *,
        namespace: str,
        on_failure: FailurePolicy = "fall_back",
        timeout: float = 0.2,
        probe_interval: float = 1.0,
        observe: Callable[[DecisionName], None] | None = None,
    ) -> None:
        self._on_failure = on_failure
        self._observe = observe or (lambda _: None)
        self._local = MemoryWindows()
        self._shared = None
        if redis_url:
            # An extra (bedplate[redis]), and slow to import.
            from bedplate.rate_limits.redis import RedisWindows  # noqa: PLC0415

            self._shared = RedisWindows(redis_url, namespace=namespace, timeout=timeout)
        self._circuit = Circuit(self._ask_redis, interval=probe_interval)

    async def __aenter__(self) -> Self:
        """Connect to Redis; the application also starts without it."""
        if self._shared is not None:
            try:
                await self._ask_redis()
            except StorageError as error:
                self._circuit.open(error, self._on_failure)
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close every connection to Redis."""
        await self._circuit.aclose()
        if self._shared is not None:
            await self._shared.aclose()

    async def hit(self, budget: Budget, *key: str) -> Decision:
        """Count one request of `key` if `budget` allows it, and return the decision.

        Equal keys with equal budgets share a count. A refused request isn't counted. Raises
        `ServiceUnavailable` when Redis is unavailable and the policy is `refuse`.
        """
        name = f"{budget.limit}/{budget.seconds}/{'/'.join(key)}"
        if self._shared is None:
            return self._decide(budget, self._local.spend(name, budget.limit, budget.seconds))
        if self._circuit.closed:
            try:
                windows = await self._shared.spend(name, budget.limit, budget.seconds)
            except StorageError as error:
                self._circuit.open(error, self._on_failure)
            else:
                return self._decide(budget, windows)
        return self._decide_without_redis(budget, name)

    def _decide(self, budget: Budget, windows: Windows) -> Decision:
        self._observe("allowed" if windows.allowed else "refused")
        return decide(budget, windows, clock.now().timestamp())

    def _decide_without_redis(self, budget: Budget, name: str) -> Decision:
        if self._on_failure == "refuse":
            self._observe("fallback_unavailable")
            raise ServiceUnavailable("The rate limits can't be checked at the moment.")
        if self._on_failure == "allow":
            self._observe("fallback_unchecked")
            return decide(budget, _NOTHING_SPENT, clock.now().timestamp())
        windows = self._local.spend(name, budget.limit, budget.seconds)
        self._observe("fallback_allowed" if windows.allowed else "fallback_refused")
        return decide(budget, windows, clock.now().timestamp())

    async def _ask_redis(self) -> None:
        """Count a request of a probe: a replica that can't write would answer a ping."""
        assert self._shared is not None  # noqa: S101 - only called with Redis
        await self._shared.spend("probe", 1, 1)


_NOTHING_SPENT = Windows(allowed=True, previous=0, previous_left=0, current=0, current_left=0)
