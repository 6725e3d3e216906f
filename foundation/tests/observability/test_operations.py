"""What the operations port serves."""

import pytest
from prometheus_client import CollectorRegistry
from starlette.testclient import TestClient

from bedplate.observability.health import Health, HealthCheck, operations_app
from bedplate.observability.metrics import RequestMetrics


async def well() -> None:
    """Find nothing wrong."""


async def ill() -> None:
    """Find something wrong."""
    raise ConnectionError


@pytest.fixture
def healths() -> dict[str, Health]:
    """Give the health of two backends."""
    return {"shop": Health([HealthCheck("database", well)]), "bank": Health()}


@pytest.fixture
def client(healths: dict[str, Health]) -> TestClient:
    """Give a client of the operations port."""
    registry = CollectorRegistry()
    RequestMetrics(registry, "shop").observe_rate_limit("allowed")
    return TestClient(operations_app(healths, registry))


def test_metrics(client: TestClient) -> None:
    """The metrics of all backends are on one page."""
    response = client.get("/metrics")
    assert 'rate_limit_decisions_total{backend="shop",decision="allowed"} 1.0' in response.text


def test_ready(client: TestClient, healths: dict[str, Health]) -> None:
    """The process is ready when all backends are."""
    assert client.get("/readyz").status_code == 200
    healths["bank"] = Health([HealthCheck("cache", ill)])
    response = client.get("/readyz")
    assert response.status_code == 503
    assert response.json() == {
        "status": "unavailable",
        "backends": {
            "shop": {"status": "ready", "checks": {"database": {"status": "ok"}}},
            "bank": {"status": "unavailable", "checks": {"cache": {"status": "failing"}}},
        },
    }


def test_alive(client: TestClient, healths: dict[str, Health]) -> None:
    """The process is alive whatever its backends say."""
    healths["bank"] = Health([HealthCheck("cache", ill)])
    assert client.get("/healthz").json() == {"status": "ok"}


def test_status(client: TestClient) -> None:
    """The state of each backend is shown, without detail for strangers."""
    assert client.get("/statusz").json() == {
        "shop": {"status": "ready"},
        "bank": {"status": "ready"},
    }


def test_no_redirect_follows_the_host_header(client: TestClient) -> None:
    """A slash too many is a 404; a redirect would lead to whatever the Host header names."""
    response = client.get("/healthz/", headers={"Host": "attacker.example"}, follow_redirects=False)
    assert response.status_code == 404
