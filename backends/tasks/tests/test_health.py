"""GET /health, as clients of the API know it."""

from datetime import UTC, datetime, timedelta

from bedplate.testing.client import Client


async def test_it_is_open_and_tells_the_time(api: Client) -> None:
    """Without a session it answers that all is well, and when."""
    response = await api.get("/health")
    assert response.status_code == 200
    health = response.json()
    assert set(health) == {"status", "timestamp"}
    assert health["status"] == "healthy"
    reported = datetime.fromisoformat(health["timestamp"])
    assert abs(datetime.now(UTC) - reported) < timedelta(minutes=1)


async def test_it_spends_no_budget(api: Client) -> None:
    """A monitor may ask as often as it likes."""
    for _ in range(120):
        response = await api.get("/health")
    assert response.status_code == 200
    assert "ratelimit-limit" not in response.headers
