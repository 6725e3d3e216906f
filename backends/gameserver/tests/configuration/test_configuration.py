"""The game's settings over HTTP: shown, changed at once, queued, never lost."""

import json
import os
import shlex
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI

from bedplate.testing.client import Client, client
from bedplate.testing.problems import ProblemOf

Headers = dict[str, str]


@pytest.fixture
def config_path(tmp_path: Path) -> Path:
    """Give where serverconfig.json is."""
    return tmp_path / "data" / "serverdata" / "serverconfig.json"


@pytest.fixture
async def start(api: Client) -> Callable[[], Awaitable[None]]:
    """Give what starts the game and waits until it runs."""

    async def start() -> None:
        response = await api.post("/server/start", params={"wait": 20})
        assert response.json()["state"] == "running", response.text

    return start


@pytest.fixture
async def stop(api: Client) -> Callable[[], Awaitable[None]]:
    """Give what stops the game and waits until it is down."""

    async def stop() -> None:
        response = await api.post("/server/stop", params={"wait": 20})
        assert response.json()["state"] == "stopped", response.text

    return stop


def read(path: Path) -> dict[str, Any]:
    """Return what a JSON file holds."""
    document: dict[str, Any] = json.loads(path.read_text())
    return document


def edit(path: Path, former: str, new: str) -> None:
    """Change a file as a hand does."""
    path.write_text(path.read_text().replace(former, new))


def put_pipe_as_whitelist(config_path: Path) -> None:
    """Put a pipe where the whitelist would be, beside settings that make it count."""
    config_path.write_text('{"WhitelistMode": 0}')
    folder = config_path.parent / "Playerdata"
    folder.mkdir(exist_ok=True)
    os.mkfifo(folder / "playerswhitelisted.json")


async def setting(api: Client, key: str, headers: Headers | None = None) -> dict[str, Any]:
    """Return one setting as the API shows it."""
    listed = (await api.get("/settings", headers=headers)).json()["settings"]
    return next(item for item in listed if item["key"] == key)


async def test_before_the_first_start_settings_are_made(
    api: Client, start: Any, config_path: Path
) -> None:
    """A change before the first start is in the file with which the game makes its world."""
    shown = await api.get("/settings")
    assert shown.json()["exists"] is False
    changes = {"ServerName": "Ours", "WorldConfig.PlayStyle": "exploration", "Password": "hush"}
    stale = await api.patch("/settings", json=changes, headers={"If-Match": '"other"'})
    assert stale.status_code == 412
    assert (await api.get("/settings")).json()["exists"] is False
    etag = {"If-Match": shown.headers["ETag"]}
    results = (await api.patch("/settings", json=changes, headers=etag)).json()["results"]
    assert {result["outcome"] for result in results.values()} == {"written"}
    await api.patch("/settings", json={"MaxClients": 7})
    await start()
    written = read(config_path)
    assert (written["ServerName"], written["Password"], written["MaxClients"]) == (
        "Ours", "hush", 7
    )  # fmt: skip
    assert written["WorldConfig"]["PlayStyle"] == "exploration"
    assert written["WorldConfig"]["SaveFileLocation"].startswith(str(config_path.parent))
    assert written["Roles"]


async def test_a_game_that_starts_for_the_first_time_has_no_settings_yet(
    make_app: Callable[..., FastAPI], admin: Headers, problem_of: ProblemOf
) -> None:
    """Until it has written them a change is a 409 that says what to wait for."""
    command = shlex.join(["/bin/sh", "-c", "exec sleep 3600"])
    async with client(make_app(game_command=command), headers=admin) as api:
        assert (await api.post("/server/start")).json()["state"] == "starting"
        problem = problem_of(await api.patch("/settings", json={"MaxClients": 7}), 409)
        assert problem["code"] == "no_settings_yet"


async def test_what_the_game_can_take_is_applied_and_the_rest_waits(
    api: Client, start: Any, stop: Any, config_path: Path
) -> None:
    """A running game gets what its console takes; the rest is in the file at the next start."""
    await start()
    changes = {"ServerName": "Ours", "Port": 42999, "Password": "hush", "WelcomeMessage": "a\nb",
               "WorldConfig.WorldName": "Ours"}  # fmt: skip
    results = (await api.patch("/settings", json=changes)).json()["results"]
    assert {key: one["outcome"] for key, one in results.items()} == {
        "ServerName": "applied", "Port": "queued", "Password": "applied",
        "WelcomeMessage": "queued", "WorldConfig.WorldName": "queued",
    }  # fmt: skip
    port = await setting(api, "Port")
    assert (port["value"], port["queued_value"]) == (42420, 42999)
    assert (await setting(api, "ServerName"))["value"] == "Ours"
    await stop()
    await start()
    written = read(config_path)
    assert {key: written[key] for key in ("ServerName", "Port", "Password", "WelcomeMessage")} == {
        "ServerName": "Ours", "Port": 42999, "Password": "hush", "WelcomeMessage": "a\nb",
    }  # fmt: skip
    assert written["WorldConfig"]["WorldName"] == "Ours"
    assert (await setting(api, "Port"))["queued"] is False


async def test_a_killed_game_loses_no_setting(api: Client, start: Any, config_path: Path) -> None:
    """What a running game had confirmed is in the file, also when it was killed before it wrote."""
    await start()
    result = (await api.patch("/settings", json={"MaxClients": 7})).json()["results"]
    assert result["MaxClients"]["outcome"] == "applied"
    await api.post("/server/kill")
    await start()
    assert read(config_path)["MaxClients"] == 7


async def test_a_stopped_game_s_file_is_written(
    api: Client, start: Any, stop: Any, config_path: Path, problem_of: ProblemOf
) -> None:
    """While the game is down a change is in the file at once; If-Match finds other changes."""
    await start()
    await stop()
    etag = (await api.get("/settings")).headers["etag"]
    written = await api.patch("/settings", json={"Port": 5}, headers={"If-Match": etag})
    assert written.json()["results"]["Port"]["outcome"] == "written"
    late = await api.patch("/settings", json={"Port": 6}, headers={"If-Match": etag})
    problem_of(late, 412)
    etag = written.headers["etag"]
    edit(config_path, '"AllowPvP": true', '"AllowPvP": false')
    by_hand = await api.patch("/settings", json={"Port": 6}, headers={"If-Match": etag})
    problem_of(by_hand, 412)
    assert read(config_path)["Port"] == 5


async def test_a_hand_s_change_wins_over_a_queued_one(
    api: Client, start: Any, stop: Any, config_path: Path
) -> None:
    """A key that somebody else changed meanwhile keeps that value, and the loss is shown."""
    await start()
    await api.patch("/settings", json={"DieBelowDiskSpaceMb": 1, "LogFileSplitAfterLine": 2000})
    await stop()
    edit(config_path, '"DieBelowDiskSpaceMb": 400', '"DieBelowDiskSpaceMb": 77')
    await start()
    written = read(config_path)
    assert (written["DieBelowDiskSpaceMb"], written["LogFileSplitAfterLine"]) == (77, 2000)
    skipped = (await api.get("/settings")).json()["skipped"]
    assert [item["key"] for item in skipped] == ["DieBelowDiskSpaceMb"]


@pytest.mark.parametrize(
    "body",
    [{"Port": 0}, {"Port": "1"}, {"Port": True}, {"Port": 1.5}, {"AllowPvP": 1}, {"Nonsense": 1},
     {"ConfigVersion": "2"}, {"ServerName": None}, {"Roles": []}, {"Roles": [{"Code": "a b"}]},
     {"TickTime": "fast"}, {"WorldConfig": {}}, {"WhitelistMode": 3}, {"MaxClients": 2**70}],
)  # fmt: skip
async def test_values_out_of_range_are_refused(
    api: Client, start: Any, config_path: Path, problem_of: ProblemOf, body: dict[str, Any]
) -> None:
    """Another type, another range, an unknown or a locked key is a 422 that changes nothing."""
    document = problem_of(await api.patch("/settings", json=body), 422)
    assert document["errors"][0]["field"].startswith(next(iter(body)))


async def test_secrets_are_hidden_from_who_may_only_look(
    api: Client, start: Any, monitor: Headers, problem_of: ProblemOf
) -> None:
    """A monitor sees that there is a password, and not which; it changes nothing."""
    await start()
    await api.patch("/settings", json={"Password": "hush", "StartupCommands": "/op me hush"})
    assert (await setting(api, "Password"))["value"] == "hush"
    shown = await api.get("/settings", headers=monitor)
    assert "hush" not in shown.text
    assert (await setting(api, "Password", monitor))["is_set"] is True
    problem_of(await api.patch("/settings", json={"Port": 1}, headers=monitor), 403)


async def test_an_owner_is_told_who_would_be_locked_out(api: Client, start: Any) -> None:
    """With the default mode and an empty whitelist nobody could join: a hint says so."""
    await start()
    assert "whitelist" in (await api.get("/settings")).json()["hints"][0]
    await api.patch("/settings", json={"WhitelistMode": 2})
    await api.post("/server/restart", params={"wait": 20})
    assert (await api.get("/settings")).json()["hints"] == []


async def test_a_pipe_as_whitelist_is_not_waited_for(api: Client, config_path: Path) -> None:
    """What can't be read as a whitelist gives no hint, and no request waits for it."""
    put_pipe_as_whitelist(config_path)
    assert (await api.get("/settings")).json()["hints"] == []


async def test_the_first_start_takes_settings_from_the_environment(
    make_app: Any, config_path: Path, monkeypatch: pytest.MonkeyPatch, open_state: Any
) -> None:
    """VS_CFG_ variables are in the file that the game finds at its first start, and only then."""
    monkeypatch.setenv("VS_CFG_ServerName", "From the environment")
    monkeypatch.setenv("VS_CFG_WorldConfig__PlayStyle", "exploration")
    game = (await open_state())["game"]
    await game.start(by="test")
    await game.stop(by="test", reason="The test is over.")
    written = read(config_path)
    assert written["ServerName"] == "From the environment"
    assert written["WorldConfig"]["PlayStyle"] == "exploration"
    assert written["Roles"]
