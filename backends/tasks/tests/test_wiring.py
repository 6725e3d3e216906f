"""The budgets of the rate limits come from the settings."""

import pytest
from fastapi import FastAPI
from prometheus_client import CollectorRegistry

from bedplate.application import create_app
from bedplate.testing.client import client
from tasks.backend import backend
from tasks.settings import TasksSettings


@pytest.fixture
def strict(settings: TasksSettings) -> FastAPI:
    """Give the API with smaller budgets than usual."""
    fewer = settings.model_copy(update={"reads_per_minute": 2, "writes_per_minute": 1})
    return create_app(backend, fewer, registry=CollectorRegistry())


async def test_the_settings_decide_on_the_budgets(strict: FastAPI, ada: dict[str, str]) -> None:
    """Reads and writes are refused beyond what the settings say, each by its own budget."""
    async with client(strict) as api:
        reads = [(await api.get("/tasks", headers=ada)).status_code for _ in range(3)]
        writes = [await api.post("/tasks", json={"title": "Milk"}, headers=ada) for _ in range(2)]
    assert reads == [200, 200, 429]
    assert [write.status_code for write in writes] == [201, 429]
    assert writes[1].headers["ratelimit-limit"] == "1"
