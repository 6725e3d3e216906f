"""Prometheus metrics: requests, rate limits, and whatever else has a number to show."""

from bisect import bisect_left
from collections import Counter as Tally
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import accumulate
from typing import Any
from weakref import WeakKeyDictionary

from prometheus_client import CollectorRegistry, Counter, make_asgi_app
from prometheus_client.core import GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector
from prometheus_client.utils import floatToGoString
from starlette.types import ASGIApp, Receive, Scope, Send

from bedplate.observability.instruments import OwnCounter, OwnHistogram, OwnInstruments
from bedplate.observability.routes import route_template

UNMATCHED = "unmatched"
OTHER_METHOD = "other"
_METHODS = frozenset(
    {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "QUERY"}
)
_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)

GaugeReader = Callable[[], Mapping[str, float] | Mapping[tuple[str, ...], float]]


class RequestMetrics:
    """The metrics of one backend, in a registry that several backends may share.

    Requests: `http_server_request_duration_seconds` by method, route template and status, and
    `http_server_active_requests` by method and route template. Rate limits:
    `rate_limit_decisions_total` and `rate_limit_fallback_total`. All have the label `backend`.
    """

    def __init__(self, registry: CollectorRegistry, backend: str) -> None:
        self._backend = backend
        self._instruments = _instruments_of(registry)
        self._active: dict[int, tuple[str, Scope]] = self._instruments.active.of(backend)
        self._durations = self._instruments.durations.of(backend)

    def begin(self, scope: Scope) -> None:
        """Count a request among the active ones."""
        self._active[id(scope)] = (scope["method"], scope)

    def end(
        self, scope: Scope, method: str, route: str | None, status: int, seconds: float
    ) -> None:
        """Note a request that ended: `route` is its template, or None when none matched."""
        self._active.pop(id(scope), None)
        key = (method if method in _METHODS else OTHER_METHOD, route, status)
        distribution = self._durations.get(key)
        if distribution is None:
            distribution = self._durations[key] = Distribution()
        distribution.seconds += seconds
        distribution.counts[bisect_left(_BUCKETS, seconds)] += 1

    def observe_rate_limit(self, decision: str) -> None:
        """Count a decision; those that start with `fallback` were made without the shared store."""
        self._instruments.decisions.labels(self._backend, decision).inc()
        if decision.startswith("fallback"):
            self._instruments.fallbacks.labels(self._backend).inc()

    def register_gauge(
        self, name: str, documentation: str, labels: Sequence[str], read: GaugeReader
    ) -> None:
        """Show a gauge whose values `read` returns at each scrape, by label value (or values).

        A reader that fails leaves its gauge out of that scrape. Registering the same name again
        replaces this backend's reader.
        """
        self._instruments.gauges.register(name, documentation, labels, self._backend, read)

    def counter(self, name: str, documentation: str, labels: Sequence[str] = ()) -> OwnCounter:
        """Return a counter of this backend's own; Prometheus sees `name` with `_total` after it.

        Asking for the same name again returns the same counter. Raises ValueError when the name is
        another metric's. What clients send must not become a label: each value is kept for good.
        """
        counter = self._instruments.own.counter(name, documentation, labels)
        return OwnCounter(counter, self._backend)

    def histogram(
        self,
        name: str,
        documentation: str,
        labels: Sequence[str] = (),
        *,
        buckets: Sequence[float] = _BUCKETS,
    ) -> OwnHistogram:
        """Return a histogram of this backend's own, as `counter` does.

        `buckets` are their upper bounds, in the unit of what is observed.
        """
        histogram = self._instruments.own.histogram(name, documentation, labels, buckets)
        return OwnHistogram(histogram, self._backend)

    def watch_pool(self, pool: Any) -> None:
        """Show how a SQLAlchemy pool is used: `db_pool_connections` by state.

        States are `used`, `idle` and `overflow` (beyond the pool's size). A pool that doesn't
        count its connections (SQLite in memory) isn't shown.
        """
        if not hasattr(pool, "checkedout"):
            return
        self.register_gauge(
            "db_pool_connections",
            "Connections of the database pool",
            ["state"],
            lambda: {
                "used": pool.checkedout(),
                "idle": pool.checkedin(),
                "overflow": max(0, pool.overflow()),
            },
        )

        def size() -> dict[tuple[str, ...], float]:
            return {(): pool.size()}

        self.register_gauge("db_pool_size", "Connections that the pool keeps", [], size)


class MetricsPage:
    """The ASGI application that shows a registry, in the format that the scraper asks for."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._app: ASGIApp = make_asgi_app(registry)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a scrape."""
        await self._app(scope, receive, send)


def metrics_app(registry: CollectorRegistry) -> ASGIApp:
    """Return the ASGI application that shows a registry: to be mounted at `/metrics`."""
    return MetricsPage(registry)


class _Instruments:
    """The metrics of one registry; backends share them."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.decisions = Counter(
            "rate_limit_decisions",
            "Decisions of the rate limits",
            ["backend", "decision"],
            registry=registry,
        )
        self.fallbacks = Counter(
            "rate_limit_fallback",
            "Decisions made by this process alone, since the shared store was away",
            ["backend"],
            registry=registry,
        )
        self.durations = _RequestDurations()
        self.active = _ActiveRequests()
        self.gauges = _Gauges()
        self.own = OwnInstruments(registry)
        registry.register(self.durations)
        registry.register(self.active)
        registry.register(self.gauges)


_instruments: WeakKeyDictionary[CollectorRegistry, _Instruments] = WeakKeyDictionary()


def _instruments_of(registry: CollectorRegistry) -> _Instruments:
    """Return a registry's instruments: a name can be registered once only."""
    found = _instruments.get(registry)
    if found is None:
        found = _instruments[registry] = _Instruments(registry)
    return found


class Distribution:
    """How long the requests of one kind took: their sum, and how many fell into each bucket."""

    __slots__ = ("counts", "seconds")

    def __init__(self) -> None:
        self.seconds = 0.0
        self.counts = [0] * (len(_BUCKETS) + 1)

    def cumulated(self) -> list[tuple[str, float]]:
        """Return each bucket's upper bound and how many requests took at most that long."""
        bounds = [*map(floatToGoString, _BUCKETS), "+Inf"]
        return list(zip(bounds, accumulate(self.counts), strict=True))


_Durations = dict[tuple[str, str | None, int], Distribution]


class _RequestDurations(Collector):
    """The histogram of request durations.

    prometheus_client's own takes locks and walks its buckets: three times the cost on each request.
    """

    def __init__(self) -> None:
        self._backends: dict[str, _Durations] = {}

    def of(self, backend: str) -> _Durations:
        return self._backends.setdefault(backend, {})

    def describe(self) -> Iterable[Metric]:
        return []

    def collect(self) -> Iterable[Metric]:
        family = HistogramMetricFamily(
            "http_server_request_duration_seconds",
            "Duration of HTTP requests",
            labels=["backend", "method", "route", "status"],
        )
        for backend, durations in self._backends.items():
            for (method, route, status), distribution in list(durations.items()):
                family.add_metric(
                    [backend, method, route or UNMATCHED, str(status)],
                    distribution.cumulated(),
                    distribution.seconds,
                )
        yield family


class _ActiveRequests(Collector):
    """Counts the active requests when it is asked; a request itself only comes and goes."""

    def __init__(self) -> None:
        self._backends: dict[str, dict[int, tuple[str, Scope]]] = {}

    def of(self, backend: str) -> dict[int, tuple[str, Scope]]:
        return self._backends.setdefault(backend, {})

    def describe(self) -> Iterable[Metric]:
        return []

    def collect(self) -> Iterable[Metric]:
        family = GaugeMetricFamily(
            "http_server_active_requests",
            "HTTP requests being answered",
            labels=["backend", "method", "route"],
        )
        for backend, active in self._backends.items():
            tally = Tally(
                (method if method in _METHODS else OTHER_METHOD, route_template(scope) or UNMATCHED)
                for method, scope in list(active.values())
            )
            for (method, route), count in tally.items():
                family.add_metric([backend, method, route], count)
        yield family


class _Gauges(Collector):
    """Gauges that are read when they are asked for."""

    def __init__(self) -> None:
        self._families: dict[str, tuple[str, list[str], dict[str, GaugeReader]]] = {}

    def register(
        self, name: str, documentation: str, labels: Sequence[str], backend: str, read: GaugeReader
    ) -> None:
        family = self._families.setdefault(name, (documentation, ["backend", *labels], {}))
        family[2][backend] = read

    def describe(self) -> Iterable[Metric]:
        return []

    def collect(self) -> Iterable[Metric]:
        for name, (documentation, labels, readers) in list(self._families.items()):
            family = GaugeMetricFamily(name, documentation, labels=labels)
            for backend, read in list(readers.items()):
                for values, number in _read(read).items():
                    label_values = [values] if isinstance(values, str) else values
                    family.add_metric([backend, *label_values], number)
            yield family


def _read(read: GaugeReader) -> Mapping[str, float] | Mapping[tuple[str, ...], float]:
    try:
        return read()
    except Exception:  # noqa: BLE001 - one reader must not cost all other metrics
        return {}
