"""Who runs in a process can be called, and only while it runs."""

import pytest
from fastapi import FastAPI, Request

from bedplate.clients import LocalServices, UpstreamUnavailable
from bedplate.clients.client import ServiceClient


async def test_a_backend_is_called_while_it_runs() -> None:
    """Before its start and after its end a call is a 503; in between it has its own state."""
    app = FastAPI()

    @app.get("/state")
    async def state(request: Request) -> str:
        found: str = request.state.own
        request.state.own = "changed by a request"
        return found

    local_services = LocalServices({"other"})
    client = ServiceClient.beside("other", local_services, attempts=1)
    assert ("other" in local_services, "another" in local_services) == (True, False)
    with pytest.raises(UpstreamUnavailable):
        await client.get("/state")
    with local_services.run("other", app, {"own": "its own"}):
        assert await client.get("/state") == "its own"
        assert await client.get("/state") == "its own"
    with pytest.raises(UpstreamUnavailable):
        await client.get("/state")
