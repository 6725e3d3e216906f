"""Who runs in a process can be called, and only while it runs."""

import pytest
from fastapi import FastAPI, Request

from bedplate.neighbours import Neighbours, NeighbourUnavailable
from bedplate.neighbours.client import Neighbour


async def test_a_backend_is_called_while_it_runs() -> None:
    """Before its start and after its end a call is a 503; in between it has its own state."""
    app = FastAPI()

    @app.get("/state")
    async def state(request: Request) -> str:
        found: str = request.state.own
        request.state.own = "changed by a request"
        return found

    neighbours = Neighbours({"other"})
    neighbour = Neighbour.beside("other", neighbours, attempts=1)
    assert ("other" in neighbours, "another" in neighbours) == (True, False)
    with pytest.raises(NeighbourUnavailable):
        await neighbour.get("/state")
    with neighbours.run("other", app, {"own": "its own"}):
        assert await neighbour.get("/state") == "its own"
        assert await neighbour.get("/state") == "its own"
    with pytest.raises(NeighbourUnavailable):
        await neighbour.get("/state")
