"""Collectors that cost a request less than prometheus_client's own metrics."""

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate

from prometheus_client.core import GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector
from prometheus_client.utils import floatToGoString
from starlette.types import Scope

from bedplate.observability.routes import route_template

UNMATCHED = "unmatched"
OTHER_METHOD = "other"
BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
_METHODS = frozenset(
    {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT", "QUERY"}
)

GaugeReader = Callable[[], Mapping[str, float] | Mapping[tuple[str, ...], float]]


class _Collector(Collector):
    def describe(self) -> Iterable[Metric]:
        """Return nothing: the names are known when the metrics are collected."""
        return []


@dataclass(slots=True)
class _Distribution:
    """How long the requests of one kind took: their sum, and how many are in each bucket."""

    seconds: float = 0.0
    counts: list[int] = field(default_factory=lambda: [0] * (len(BUCKETS) + 1))


class RequestDurations(_Collector):
    """The histogram of request durations, by backend.

    prometheus_client's own takes locks and walks its buckets: three times the cost on each request.
    """

    def __init__(self) -> None:
        self._backends: defaultdict[
            str, defaultdict[tuple[str, str | None, int], _Distribution]
        ] = defaultdict(lambda: defaultdict(_Distribution))

    def add(
        self, backend: str, method: str, route: str | None, status: int, seconds: float
    ) -> None:
        """Count a request."""
        method = method if method in _METHODS else OTHER_METHOD
        distribution = self._backends[backend][method, route, status]
        distribution.seconds += seconds
        distribution.counts[bisect_left(BUCKETS, seconds)] += 1

    def collect(self) -> Iterable[Metric]:
        """Yield the histogram."""
        family = HistogramMetricFamily(
            "http_server_request_duration_seconds",
            "Duration of HTTP requests",
            labels=["backend", "method", "route", "status"],
        )
        bounds = [*map(floatToGoString, BUCKETS), "+Inf"]
        for backend, durations in list(self._backends.items()):
            for (method, route, status), distribution in list(durations.items()):
                family.add_metric(
                    [backend, method, route or UNMATCHED, str(status)],
                    list(zip(bounds, accumulate(distribution.counts), strict=True)),
                    distribution.seconds,
                )
        yield family


class ActiveRequests(_Collector):
    """Counts active requests at each scrape: `backends` has the method and scope of each, by id."""

    def __init__(self) -> None:
        self.backends: defaultdict[str, dict[int, tuple[str, Scope]]] = defaultdict(dict)

    def collect(self) -> Iterable[Metric]:
        """Yield the gauge."""
        family = GaugeMetricFamily(
            "http_server_active_requests",
            "HTTP requests being answered",
            labels=["backend", "method", "route"],
        )
        for backend, active in list(self.backends.items()):
            counts = Counter(
                (method if method in _METHODS else OTHER_METHOD, route_template(scope) or UNMATCHED)
                for method, scope in list(active.values())
            )
            for (method, route), count in counts.items():
                family.add_metric([backend, method, route], count)
        yield family


class Gauges(_Collector):
    """Gauges that are read at each scrape."""

    def __init__(self) -> None:
        self._families: dict[str, tuple[str, list[str], dict[str, GaugeReader]]] = {}

    def register(
        self, name: str, documentation: str, labels: Sequence[str], backend: str, read: GaugeReader
    ) -> None:
        """Add a backend's reader, or replace it."""
        family = self._families.setdefault(name, (documentation, ["backend", *labels], {}))
        family[2][backend] = read

    def collect(self) -> Iterable[Metric]:
        """Yield each gauge; a reader that fails is left out."""
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
