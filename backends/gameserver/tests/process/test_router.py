"""The state of the game over HTTP."""

import pytest

from bedplate.testing.client import Client
from bedplate.testing.problems import ProblemOf


async def test_a_life_over_http(api: Client, problem_of: ProblemOf) -> None:
    """Start, restart, stop and kill answer with the state they lead to; a double start is 409."""
    assert (await api.get("/server")).json()["state"] == "stopped"
    started = await api.post("/server/start?wait=20")
    assert started.status_code == 202
    assert started.json()["state"] == "running"
    assert started.json()["run"]["mods"]["loaded"] == ["game", "creative", "survival"]
    assert problem_of(await api.post("/server/start"), 409)["code"] == "game_already_running"
    restarted = await api.post("/server/restart?wait=20", json={"reason": "New mods."})
    assert restarted.json()["state"] == "running"
    assert restarted.json()["pid"] != started.json()["pid"]
    stopped = (await api.post("/server/stop?wait=20")).json()
    assert (stopped["state"], stopped["exit_code"]) == ("stopped", 0)
    assert stopped["run"]["saves"]["count"] == 1
    assert (await api.post("/server/kill")).json()["state"] == "stopped"
    actions = [entry["action"] for entry in (await api.get("/audit")).json()]
    assert actions == ["kill", "stop", "restart", "start"]


@pytest.mark.parametrize("action", ["start", "stop", "restart", "kill"])
async def test_a_monitor_may_only_look(
    api: Client, monitor: dict[str, str], problem_of: ProblemOf, action: str
) -> None:
    """The monitor's key reads the state, and changes nothing; without a key there is nothing."""
    assert (await api.get("/server", headers=monitor)).status_code == 200
    problem_of(await api.post(f"/server/{action}", headers=monitor), 403)
    problem_of(await api.post(f"/server/{action}", headers={"X-API-Key": "x"}), 401)
    problem_of(await api.get("/audit", headers=monitor), 403)


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/server/stop?wait=26", None),
        ("/server/stop?wait=-1", None),
        ("/server/stop?wait=1e0", None),
        ("/server/stop", {"reason": "a\nb"}),
        ("/server/stop", {"reason": "x" * 201}),
        ("/server/stop", {"reason": 5}),
        ("/server/stop", {"why": "x"}),
        ("/server/start?wait=x", None),
    ],
)
async def test_bad_input(api: Client, problem_of: ProblemOf, path: str, body: object) -> None:
    """What can't be meant is refused."""
    problem_of(await api.post(path, json=body), 422)
