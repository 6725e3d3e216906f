"""Schedules over HTTP, and what they do to a simulated game."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI

from bedplate.testing.client import Client, client
from gameserver.status import GameState
from gameserver_simulator.stand_ins.version_feed import VersionFeed

NEW: dict[str, Any] = {
    "name": "Nightly",
    "cron": "0 4 * * *",
    "zone": "Europe/Berlin",
    "action": {"kind": "backup"},
}


async def add(api: Client, action: dict[str, Any], **fields: Any) -> str:
    """Add a schedule that is off, and return its place."""
    sent = {**NEW, "enabled": False, "action": action, **fields}
    made = await api.post("/schedules", json=sent)
    assert made.status_code == 201, made.text
    return f"/schedules/{made.json()['id']}"


async def run(api: Client, place: str) -> dict[str, Any]:
    """Run a schedule, and return what came of it."""
    assert (await api.post(f"{place}/run")).status_code == 202
    return await ended(api, place)


async def ended(api: Client, place: str) -> dict[str, Any]:
    """Return the newest run once it has ended."""
    async with asyncio.timeout(30):
        while True:
            last: dict[str, Any] = (await api.get(f"{place}/runs")).json()[0]
            if last["state"] != "running":
                return last
            await asyncio.sleep(0.02)


async def start(api: Client) -> None:
    """Start the game, and wait until it runs."""
    started = await api.post("/server/start", params={"wait": 20})
    assert started.json()["state"] == GameState.RUNNING
    await say(api, "/whitelist off")


async def say(api: Client, command: str) -> None:
    """Type a command."""
    assert (await api.post("/console/commands", json={"command": command})).status_code == 200


async def test_kept_and_changed(api: Client, monitor: dict[str, str]) -> None:
    """A schedule is made, shown, replaced as the version that is known, and deleted."""
    made = await api.post("/schedules", json=NEW)
    schedule = made.json()
    place = made.headers["Location"]
    assert schedule["next_run"]
    assert schedule["last_run"] is None
    assert (await api.get("/schedules", headers=monitor)).json() == [schedule]
    seen = {"If-Match": made.headers["ETag"]}
    replaced = await api.put(place, json={**NEW, "enabled": False}, headers=seen)
    assert (replaced.json()["next_run"], replaced.json()["version"]) == (None, 2)
    for headers in (seen, {"If-None-Match": "*"}):
        assert (await api.put(place, json=NEW, headers=headers)).status_code == 412
    assert (await api.delete(place, headers=seen)).status_code == 412
    assert (await api.delete(place)).status_code == 204
    for gone in (await api.get(place), await api.post(f"{place}/run"), await api.delete(place)):
        assert gone.status_code == 404


async def test_monitor_only_looks(app: FastAPI, monitor: dict[str, str]) -> None:
    """The monitor key changes nothing and runs nothing."""
    async with client(app, headers=monitor) as api:
        assert (await api.get("/schedules")).json() == []
        assert (await api.post("/schedules", json=NEW)).status_code == 403


async def test_refused(api: Client) -> None:
    """What is no schedule is refused, field by field, and nothing is kept."""
    wrong: tuple[dict[str, Any], ...] = (
        {"cron": "0 4 * *"},
        {"cron": "0 0 31 2 *"},
        {"cron": "@daily"},
        {"zone": "Mars/Olympus"},
        {"zone": "../../etc/passwd"},
        {"name": ""},
        {"missed": "perhaps"},
        {"missed_within_minutes": True},
        {"enabled": "yes"},
        {"action": {}},
        {"action": {"kind": "format_disk"}},
        {"action": {"kind": "backup", "extra": 1}},
        {"action": {"kind": "command", "command": "/time\n/stop"}},
        {"action": {"kind": "command", "command": " "}},
        {"action": {"kind": "command", "command": "ж" * 512}},
        {"action": {"kind": "announcement", "text": "a\nb"}},
        {"action": {"kind": "announcement", "text": "a\u2028b"}},
        {"action": {"kind": "restart", "warn_seconds": [0]}},
        {"action": {"kind": "restart", "warn_seconds": [10**9]}},
        {"action": {"kind": "restart", "warn_seconds": list(range(1, 20))}},
        {"action": {"kind": "restart", "warning": "a\rb"}},
        {"counted_until": "2026-01-01T00:00:00Z"},
    )
    for change in wrong:
        refused = await api.post("/schedules", json={**NEW, **change})
        assert refused.status_code == 422, change
    assert (await api.get("/schedules")).json() == []


async def test_start_restart_stop(api: Client) -> None:
    """A schedule starts, restarts and stops the game, and says so."""
    begin = await add(api, {"kind": "start"})
    again = await add(api, {"kind": "restart"})
    end = await add(api, {"kind": "stop"})
    assert (await run(api, again))["state"] == "skipped"
    assert (await run(api, begin))["text"] == "The game was started."
    await say(api, "/whitelist off")
    pid = (await api.get("/server")).json()["pid"]
    assert (await run(api, begin))["state"] == "skipped"
    restarted = await run(api, again)
    assert (restarted["state"], restarted["by"]) == ("succeeded", "admin")
    assert (await api.get("/server")).json()["pid"] != pid
    assert (await run(api, end))["text"] == "The game was stopped."
    assert (await api.get("/server")).json()["state"] == GameState.STOPPED


async def test_cancelled_restart(api: Client) -> None:
    """A restart of which players are warned can be cancelled, and the game goes on."""
    await start(api)
    await say(api, "/simulate join Ada")
    place = await add(api, {"kind": "restart"})
    await api.post(f"{place}/run")
    assert (await api.get(place)).json()["running"]
    assert (await api.delete(place)).status_code == 409
    assert (await api.post(f"{place}/run")).status_code == 409
    cancelled = await api.post(f"{place}/cancel")
    assert cancelled.json()["text"] == "It was cancelled by admin."
    assert (await api.get("/server")).json()["state"] == GameState.RUNNING
    assert (await api.post(f"{place}/cancel")).status_code == 409


async def test_console(api: Client) -> None:
    """Commands and announcements reach the game, or are skipped while it is down."""
    command = await add(api, {"kind": "command", "command": "/time"})
    text = await add(api, {"kind": "announcement", "text": "Hello [all]"})
    many = await add(api, {"kind": "command", "command": "/kick o[] bye"})
    assert (await run(api, command))["state"] == "skipped"
    assert (await run(api, text))["state"] == "skipped"
    await start(api)
    assert "Server time" in (await run(api, command))["text"]
    assert (await run(api, text))["state"] == "succeeded"
    assert (await run(api, many))["state"] == "failed"
    lines = (await api.get("/console/lines")).text
    assert "announced: Hello [all]." in lines


async def test_passwords(api: Client, monitor: dict[str, str]) -> None:
    """A password in a command is seen by admins only, and not in what came of the run."""
    place = await add(api, {"kind": "command", "command": "/serverconfig password hunter2"})
    await start(api)
    assert "hunter2" not in str(await run(api, place))
    assert "hunter2" in (await api.get(place)).text
    for path in (place, "/schedules", f"{place}/runs"):
        assert "hunter2" not in (await api.get(path, headers=monitor)).text


async def test_backup_and_prune(api: Client) -> None:
    """A backup of the kind `scheduled` is made; without a world there is nothing to back up."""
    backup = await add(api, {"kind": "backup", "note": "nightly"})
    assert (await run(api, backup))["state"] == "skipped"
    await start(api)
    assert (await run(api, backup))["state"] == "succeeded"
    (made,) = (await api.get("/backups")).json()
    assert (made["kind"], made["note"]) == ("scheduled", "nightly")
    prune = await add(api, {"kind": "prune"})
    assert (await run(api, prune))["text"] == "0 backups were deleted."


async def test_kept_over_a_restart(make_app: Any, admin: dict[str, str], tmp_path: Path) -> None:
    """Schedules and runs are there after a restart; a run that it cut short is interrupted."""
    async with client(make_app(), headers=admin) as api:
        await start(api)
        await say(api, "/simulate join Ada")
        place = await add(api, {"kind": "stop"})
        await api.post(f"{place}/run")
    async with client(make_app(autostart="never"), headers=admin) as api:
        (last,) = (await api.get(f"{place}/runs")).json()
        assert last["state"] == "interrupted"
        assert (await api.get(place)).json()["action"]["warn_seconds"] == [600, 300, 60]


@pytest.mark.parametrize("language", ["de", "ru"])
async def test_localised_game(make_app: Any, admin: dict[str, str], language: str) -> None:
    """A game that speaks another language is restarted just so."""
    async with client(make_app(simulate={"language": language}), headers=admin) as api:
        await start(api)
        place = await add(api, {"kind": "restart", "warn_seconds": []})
        assert (await run(api, place))["state"] == "succeeded"


async def test_update_check(make_app: Any, admin: dict[str, str]) -> None:
    """A look for updates asks the version feed; when that is away, the run has failed."""
    feed = VersionFeed()
    with feed.serving() as url:
        async with client(make_app(version_feed_url=url), headers=admin) as api:
            place = await add(api, {"kind": "update_check"})
            checked = await run(api, place)
            assert (checked["state"], checked["text"]) == ("succeeded", "Everything is up to date.")
            feed.fault_modes.status = 503
            failed = await run(api, place)
    assert failed["state"] == "failed"
    assert failed["text"] == "The list of the game's versions can't be reached."
