"""Prometheus metrics of a backend: requests, rate limits, and its own."""

from collections.abc import Sequence
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

from prometheus_client import CollectorRegistry, Counter, Histogram, make_asgi_app
from starlette.types import ASGIApp, Receive, Scope, Send

from bedplate.observability.collectors import (
    BUCKETS,
    ActiveRequests,
    GaugeReader,
    Gauges,
    RequestDurations,
)

_Kind = TypeVar("_Kind", Counter, Histogram)


class BackendCounter:
    """A counter whose label `backend` is set."""

    def __init__(self, counter: Counter, backend: str) -> None:
        self._counter = counter
        self._backend = backend

    def add(self, *labels: str, amount: float = 1) -> None:
        """Increase the count for these label values."""
        self._counter.labels(self._backend, *labels).inc(amount)


class BackendHistogram:
    """A histogram whose label `backend` is set."""

    def __init__(self, histogram: Histogram, backend: str) -> None:
        self._histogram = histogram
        self._backend = backend

    def observe(self, value: float, *labels: str) -> None:
        """Count a value for these label values."""
        self._histogram.labels(self._backend, *labels).observe(value)


class RequestMetrics:
    """The metrics of one backend, in a registry that several backends may share.

    Requests: `http_server_request_duration_seconds` by method, route template and status, and
    `http_server_active_requests` by method and route template. Rate limits:
    `rate_limit_decisions_total` and `rate_limit_fallback_total`. All have the label `backend`.
    """

    def __init__(self, registry: CollectorRegistry, backend: str) -> None:
        self._backend = backend
        if registry not in _instruments:  # a name can be registered only once
            _instruments[registry] = _Instruments(registry)
        self._instruments = _instruments[registry]
        self._active = self._instruments.active.backends[backend]
        self._decisions = self._instruments.declare(
            Counter, "rate_limit_decisions", "Decisions of the rate limits", ["decision"]
        )
        alone = "Decisions made by this process alone, since the shared store was away"
        self._fallbacks = self.counter("rate_limit_fallback", alone)

    def begin(self, scope: Scope) -> None:
        """Count a request among the active ones."""
        self._active[id(scope)] = (scope["method"], scope)

    def end(
        self, scope: Scope, method: str, route: str | None, status: int, seconds: float
    ) -> None:
        """Count a request that ended: `route` is its template, or None when none matched."""
        self._active.pop(id(scope), None)
        self._instruments.durations.add(self._backend, method, route, status, seconds)

    def observe_rate_limit(self, decision: str) -> None:
        """Count a decision; one made without the shared store starts with `fallback`."""
        self._decisions.labels(self._backend, decision).inc()
        if decision.startswith("fallback"):
            self._fallbacks.add()

    def register_gauge(
        self, name: str, documentation: str, labels: Sequence[str], read: GaugeReader
    ) -> None:
        """Show a gauge whose values `read` returns at each scrape, by label value (or values).

        A reader that fails leaves its gauge out of that scrape. Registering the same name again
        replaces this backend's reader.
        """
        self._instruments.gauges.register(name, documentation, labels, self._backend, read)

    def counter(self, name: str, documentation: str, labels: Sequence[str] = ()) -> BackendCounter:
        """Return a counter of this backend; Prometheus sees `name` with `_total` after it.

        The same name returns the same counter. Raises ValueError when the name is another metric's.
        Without labels it is there from now on, with 0. Never use what clients send as a label: each
        value is kept until the process ends.
        """
        counter = self._instruments.declare(Counter, name, documentation, labels)
        if not labels:
            counter.labels(self._backend)
        return BackendCounter(counter, self._backend)

    def histogram(
        self,
        name: str,
        documentation: str,
        labels: Sequence[str] = (),
        *,
        buckets: Sequence[float] = BUCKETS,
    ) -> BackendHistogram:
        """Return a histogram, as `counter` does; `buckets` are upper bounds in the values' unit."""
        histogram = self._instruments.declare(
            Histogram, name, documentation, labels, buckets=buckets
        )
        return BackendHistogram(histogram, self._backend)

    def watch_pool(self, pool: Any) -> None:
        """Show how a SQLAlchemy pool is used: `db_pool_size`, and `db_pool_connections` by state.

        States are `used`, `idle` and `overflow` (beyond the pool's size). A pool that doesn't
        count its connections (SQLite in memory) isn't shown.
        """
        if not hasattr(pool, "checkedout"):
            return

        def connections() -> dict[str, float]:
            overflow = max(0, pool.overflow())
            return {"used": pool.checkedout(), "idle": pool.checkedin(), "overflow": overflow}

        def size() -> dict[tuple[str, ...], float]:
            return {(): pool.size()}

        title = "Connections of the database pool"
        self.register_gauge("db_pool_connections", title, ["state"], connections)
        self.register_gauge("db_pool_size", "Connections that the pool keeps", [], size)


class MetricsApp:
    """The ASGI application that shows a registry; a class, since Starlette wraps functions."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._app: ASGIApp = make_asgi_app(registry)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a scrape."""
        await self._app(scope, receive, send)


class _Instruments:
    """The metrics of one registry; backends share them."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.durations = RequestDurations()
        self.active = ActiveRequests()
        self.gauges = Gauges()
        for collector in (self.durations, self.active, self.gauges):
            registry.register(collector)
        self._registry = registry
        self._declared: dict[str, Any] = {}

    def declare(
        self,
        kind: type[_Kind],
        name: str,
        documentation: str,
        labels: Sequence[str],
        **options: Any,
    ) -> _Kind:
        metric = self._declared.get(name)
        if metric is None:
            metric = self._declared[name] = kind(
                name, documentation, ["backend", *labels], registry=self._registry, **options
            )
        if not isinstance(metric, kind):
            raise ValueError(f"The metric {name} is already something else.")  # noqa: TRY004 - a name
        return metric


_instruments: WeakKeyDictionary[CollectorRegistry, _Instruments] = WeakKeyDictionary()
