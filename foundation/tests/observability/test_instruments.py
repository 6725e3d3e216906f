"""Counters and histograms that a backend declares for itself."""

import pytest
from prometheus_client import CollectorRegistry

from bedplate.observability.metrics import RequestMetrics


def test_own_metrics() -> None:
    """Two backends with a metric of the same name keep apart by their label."""
    registry = CollectorRegistry()
    for backend, amount in (("shop", 1), ("bank", 2)):
        metrics = RequestMetrics(registry, backend)
        metrics.counter("sales", "Sales", ["kind"]).add("book", amount=amount)
        metrics.histogram("wait_seconds", "Waits", buckets=(1, 10)).observe(5)
    assert registry.get_sample_value("sales_total", {"backend": "bank", "kind": "book"}) == 2
    labels = {"backend": "shop", "le": "10.0"}
    assert registry.get_sample_value("wait_seconds_bucket", labels) == 1


def test_declared_again() -> None:
    """An app that is made again in the same process goes on counting; a name is one metric."""
    registry = CollectorRegistry()
    for _ in range(2):
        RequestMetrics(registry, "shop").counter("sales", "Sales").add()
    assert registry.get_sample_value("sales_total", {"backend": "shop"}) == 2
    with pytest.raises(ValueError, match="something else"):
        RequestMetrics(registry, "shop").histogram("sales", "Sales")
