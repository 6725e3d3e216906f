"""The metrics that Prometheus gets."""

from collections.abc import Callable
from typing import Any

import pytest
from prometheus_client import CollectorRegistry
from prometheus_client.openmetrics.exposition import CONTENT_TYPE_LATEST as OPEN_METRICS
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool
from starlette.testclient import TestClient

from bedplate.observability.metrics import MetricsApp, RequestMetrics

DURATION = "http_server_request_duration_seconds"


@pytest.fixture
def registry() -> CollectorRegistry:
    """Give a registry of its own."""
    return CollectorRegistry()


def scope(method: str = "GET", path: str | None = None) -> dict[str, Any]:
    """Return the scope of a request that met the route with this template."""
    made: dict[str, Any] = {"type": "http", "method": method}
    if path is not None:
        made["route"] = type("Route", (), {"path": path})
    return made


def ask(metrics: RequestMetrics, method: str, route: str | None, status: int, took: float) -> None:
    """Note one request."""
    asked = scope(method, route)
    metrics.begin(asked)
    metrics.end(asked, method, route, status, took)


def test_durations(registry: CollectorRegistry) -> None:
    """Durations are a histogram by backend, method, template and status."""
    metrics = RequestMetrics(registry, "shop")
    for took in (0.0005, 0.001, 0.003, 100):
        ask(metrics, "GET", "/items/{id}", 200, took)
    labels = {"backend": "shop", "method": "GET", "route": "/items/{id}", "status": "200"}
    buckets = {
        bound: registry.get_sample_value(f"{DURATION}_bucket", {**labels, "le": bound})
        for bound in ("0.001", "0.005", "30.0", "+Inf")
    }
    assert buckets == {"0.001": 2, "0.005": 3, "30.0": 3, "+Inf": 4}
    assert registry.get_sample_value(f"{DURATION}_count", labels) == 4
    assert registry.get_sample_value(f"{DURATION}_sum", labels) == pytest.approx(100.0045)


def test_labels_are_few(registry: CollectorRegistry) -> None:
    """Invented methods and paths make no labels."""
    metrics = RequestMetrics(registry, "shop")
    for number in range(50):
        ask(metrics, f"METHOD{number}", None, 404, 0.1)
    labels = {"backend": "shop", "method": "other", "route": "unmatched", "status": "404"}
    assert registry.get_sample_value(f"{DURATION}_count", labels) == 50


def test_active_requests(registry: CollectorRegistry) -> None:
    """Requests that are being answered are counted by template, and leave when they end."""
    metrics = RequestMetrics(registry, "shop")
    first, second = scope(), scope()
    metrics.begin(first)
    metrics.begin(second)
    second["route"] = type("Route", (), {"path": "/items"})

    def active(route: str) -> float | None:
        labels = {"backend": "shop", "method": "GET", "route": route}
        return registry.get_sample_value("http_server_active_requests", labels)

    assert (active("unmatched"), active("/items")) == (1, 1)
    metrics.end(first, "GET", None, 404, 0.1)
    assert (active("unmatched"), active("/items")) == (None, 1)


def test_backends_keep_apart(registry: CollectorRegistry) -> None:
    """Several backends share a registry; the same one may come twice."""
    for name in ("shop", "bank", "shop"):
        ask(RequestMetrics(registry, name), "GET", "/", 200, 0.1)
    counts = [
        registry.get_sample_value(
            f"{DURATION}_count", {"backend": name, "method": "GET", "route": "/", "status": "200"}
        )
        for name in ("shop", "bank")
    ]
    assert counts == [2, 1]


def test_rate_limits(registry: CollectorRegistry) -> None:
    """Decisions are counted, and those made without the shared store once more."""
    metrics = RequestMetrics(registry, "shop")
    for decision in ("allowed", "allowed", "fallback_refused"):
        metrics.observe_rate_limit(decision)
    allowed = {"backend": "shop", "decision": "allowed"}
    assert registry.get_sample_value("rate_limit_decisions_total", allowed) == 2
    assert registry.get_sample_value("rate_limit_fallback_total", {"backend": "shop"}) == 1


def test_gauges(registry: CollectorRegistry) -> None:
    """A gauge is read at each scrape; one that can't be read doesn't cost the others."""

    def fail() -> dict[str, float]:
        raise RuntimeError

    metrics, values = RequestMetrics(registry, "shop"), {"mail": 3.0}
    metrics.register_gauge("jobs_waiting", "Jobs that wait", ["queue"], lambda: values)
    metrics.register_gauge("broken", "Can't be read", [], fail)
    labels = {"backend": "shop", "queue": "mail"}
    assert registry.get_sample_value("jobs_waiting", labels) == 3
    values["mail"] = 4
    assert registry.get_sample_value("jobs_waiting", labels) == 4


async def test_pool(registry: CollectorRegistry, sqlite_url: str) -> None:
    """A database pool shows how it is used; one that keeps nothing isn't shown."""
    metrics = RequestMetrics(registry, "shop")
    engine = create_async_engine(sqlite_url, pool_size=3)
    metrics.watch_pool(engine.pool)
    metrics.watch_pool(create_async_engine(sqlite_url, poolclass=NullPool).pool)

    def connections(state: str) -> float | None:
        labels = {"backend": "shop", "state": state}
        return registry.get_sample_value("db_pool_connections", labels)

    async with engine.connect():
        assert (connections("used"), connections("idle"), connections("overflow")) == (1, 0, 0)
    assert (connections("used"), connections("idle")) == (0, 1)
    assert registry.get_sample_value("db_pool_size", {"backend": "shop"}) == 3
    await engine.dispose()


@pytest.mark.parametrize("accept", ["", OPEN_METRICS])
def test_page(registry: CollectorRegistry, accept: str) -> None:
    """The page comes in the format that the scraper asks for, and can be read by it."""
    ask(RequestMetrics(registry, "shop"), "GET", "/", 200, 0.1)
    response = TestClient(MetricsApp(registry)).get("/", headers={"Accept": accept})
    assert response.status_code == 200
    assert response.headers["content-type"].startswith(accept.partition(";")[0] or "text/plain")
    if not accept:
        families = {family.name for family in text_string_to_metric_families(response.text)}
        assert {DURATION, "http_server_active_requests"} <= families


def test_callable_is_enough(registry: CollectorRegistry) -> None:
    """A rate limiter takes `observe_rate_limit` as it is."""
    observe: Callable[[str], None] = RequestMetrics(registry, "shop").observe_rate_limit
    observe("allowed")
    labels = {"backend": "shop", "decision": "allowed"}
    assert registry.get_sample_value("rate_limit_decisions_total", labels) == 1


def test_a_counter_without_labels_begins_with_0() -> None:
    """It is there before the first time: an alert on its increase misses no first failure."""
    registry = CollectorRegistry()
    metrics = RequestMetrics(registry, "shop")
    metrics.counter("shop_failures", "Failures")
    metrics.counter("shop_sales", "Sales", ["kind"])
    assert registry.get_sample_value("shop_failures_total", {"backend": "shop"}) == 0
    assert registry.get_sample_value("rate_limit_fallback_total", {"backend": "shop"}) == 0
    assert registry.get_sample_value("shop_sales_total", {"backend": "shop", "kind": ""}) is None
