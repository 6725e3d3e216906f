"""Samples of what the game uses: kept for a day, shown to Prometheus and for plots."""

import asyncio
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from prometheus_client import CollectorRegistry, generate_latest

from bedplate.application import create_app
from bedplate.testing.client import client
from bedplate.testing.lifespan import running
from gameserver.backend import backend
from gameserver.events import EventKind, Events
from gameserver.metrics.service import Performance
from gameserver.process.game import Game
from gameserver.status import GameState


def opened(state: dict[str, Any]) -> tuple[Performance, Game, Events]:
    """Return the parts that these tests look at."""
    return state["performance"], state["game"], state["events"]


async def test_samples_a_running_game(open_state: Any) -> None:
    """A sample tells what a running game uses; without a game there is nothing to tell."""
    performance, game, events = opened(await open_state())
    idle = await performance.sample()
    assert (idle.game_memory_bytes, idle.players, idle.overloads) == (None, None, None)
    assert idle.disk_free_bytes
    await game.start(by="test")
    await game.wait_for(GameState.RUNNING, timeout=20)
    events.publish(EventKind.OVERLOADED, "slow", milliseconds=500)
    await performance.sample()
    events.publish(EventKind.OVERLOADED, "slow", milliseconds=500)
    sample = await performance.sample()
    assert sample.game_memory_bytes
    assert sample.game_memory_bytes > 1_000_000
    assert sample.game_cpu_percent is not None
    assert sample.world_bytes
    assert (sample.players, sample.overloads) == (0, 1)


async def test_kept_over_a_restart(make_app: Any, tmp_path: Path) -> None:
    """The history is there after a restart of the manager."""
    async with running(make_app(metrics_interval_seconds=60)) as state:
        performance, _, _ = opened(state)
        await performance.sample()
        count = len(performance.history.dump().at)
        latest = performance.history.latest
    async with running(make_app(metrics_interval_seconds=60)) as state:
        performance, _, _ = opened(state)
        assert len(performance.history.dump().at) >= count
        assert latest is not None
        kept = performance.history.dump().at
        assert latest.at.timestamp() in kept


async def test_disk_low_is_told_once(open_state: Any) -> None:
    """A disk that gets low is an event, which comes again only after there was room."""
    performance, _, events = opened(await open_state(metrics_interval_seconds=60))
    kinds: list[EventKind] = []
    events.listen(lambda event: kinds.append(event.kind))
    sample = await performance.sample()
    for free in (2e9, 0.5e9, 0.4e9, 3e9, 0.1e9):
        performance._warn_of_disk(sample.model_copy(update={"disk_free_bytes": free}))
    assert kinds == [EventKind.DISK_LOW, EventKind.DISK_LOW]


async def test_prometheus(make_settings: Any) -> None:
    """Prometheus sees gauges, counters and saves, and nothing that tells who plays."""
    registry = CollectorRegistry()
    app = create_app(backend, make_settings(metrics_interval_seconds=60), registry=registry)
    async with running(app) as state:
        performance, game, events = opened(state)
        await game.start(by="test")
        await game.wait_for(GameState.RUNNING, timeout=20)
        await game.console.send("/simulate join Ada", by="test")
        await performance.sample()
        events.publish(EventKind.WORLD_SAVED, "saved", seconds=0.3)
        page = generate_latest(registry).decode()
    assert 'gameserver_players{backend="gameserver"} 1.0' in page
    assert 'gameserver_state{backend="gameserver",state="running"} 1.0' in page
    assert 'gameserver_starts_total{backend="gameserver"} 1.0' in page
    assert 'gameserver_save_seconds_bucket{backend="gameserver",le="0.5"}' in page
    for name in ("game_memory_bytes", "api_memory_bytes", "disk_free_bytes", "world_bytes"):
        assert f'gameserver_{name}{{backend="gameserver"}}' in page
    assert "Ada" not in page
    assert "10.0." not in page


async def test_a_failing_look_is_not_the_last(open_state: Any) -> None:
    """When a look fails, the next one comes."""
    performance, _, _ = opened(await open_state(metrics_interval_seconds=0.1))
    disk, looked = performance._look, asyncio.Event()
    calls = []

    def look(pid: int | None) -> Any:
        calls.append(pid)
        if len(calls) == 1:
            raise ValueError
        loop.call_soon_threadsafe(looked.set)
        return disk(pid)

    loop = asyncio.get_running_loop()
    performance._look = look  # type: ignore[method-assign]
    async with asyncio.timeout(10):
        await looked.wait()


async def test_http(app: FastAPI, monitor: dict[str, str]) -> None:
    """A monitor sees the newest sample, and means over the last day."""
    async with client(app, headers=monitor) as api:
        assert (await api.get("/performance")).json()["disk_free_bytes"] > 0
        found = (await api.get("/performance/history", params={"step": 300})).json()
        assert found["step"] == 300
        assert len(found["at"]) == len(found["series"]["disk_free_bytes"]) >= 1
        wrong = {"from": "2026-01-02T00:00:00Z", "to": "2026-01-01T00:00:00Z"}
        assert (await api.get("/performance/history", params=wrong)).status_code == 422
        for bad in ({"step": 0}, {"from": "x"}, {"from": "2026-01-02T00:00:00"}):
            assert (await api.get("/performance/history", params=bad)).status_code == 422
        ancient = {"from": "0001-01-01T00:00:00Z"}
        assert (await api.get("/performance/history", params=ancient)).status_code == 200
        future = {"from": "9999-01-01T00:00:00Z", "to": "9999-12-31T00:00:00Z"}
        assert (await api.get("/performance/history", params=future)).json()["at"] == []
