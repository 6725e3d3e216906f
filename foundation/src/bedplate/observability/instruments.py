"""Counters and histograms of a backend's own, in a registry that several backends may share."""

from collections.abc import Sequence
from typing import Any, TypeVar

from prometheus_client import CollectorRegistry, Counter, Histogram

Instrument = TypeVar("Instrument", Counter, Histogram)


class OwnCounter:
    """A counter, by the labels it was declared with; the label `backend` comes by itself."""

    def __init__(self, counter: Counter, backend: str) -> None:
        self._counter = counter
        self._backend = backend

    def add(self, *labels: str, amount: float = 1) -> None:
        """Count `amount` more."""
        self._counter.labels(self._backend, *labels).inc(amount)


class OwnHistogram:
    """A histogram, by the labels it was declared with; the label `backend` comes by itself."""

    def __init__(self, histogram: Histogram, backend: str) -> None:
        self._histogram = histogram
        self._backend = backend

    def observe(self, value: float, *labels: str) -> None:
        """Put a value into its bucket."""
        self._histogram.labels(self._backend, *labels).observe(value)


class OwnInstruments:
    """The instruments that backends declared in one registry, by name: the same name is one."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._registry = registry
        self._known: dict[str, Any] = {}

    def counter(self, name: str, documentation: str, labels: Sequence[str]) -> Counter:
        """Return the counter of this name."""
        return self._declared(Counter, name, documentation, labels)

    def histogram(
        self, name: str, documentation: str, labels: Sequence[str], buckets: Sequence[float]
    ) -> Histogram:
        """Return the histogram of this name."""
        return self._declared(Histogram, name, documentation, labels, buckets=buckets)

    def _declared(
        self,
        kind: type[Instrument],
        name: str,
        documentation: str,
        labels: Sequence[str],
        **options: Any,
    ) -> Instrument:
        known = self._known.get(name)
        if known is None:
            known = self._known[name] = kind(
                name, documentation, ["backend", *labels], registry=self._registry, **options
            )
        if not isinstance(known, kind):
            raise ValueError(f"The metric {name} is already something else.")  # noqa: TRY004 - a name
        return known
