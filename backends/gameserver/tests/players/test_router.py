"""Players over HTTP, with a game that runs and one that doesn't."""

import json
from pathlib import Path

import pytest
from fastapi import FastAPI

from bedplate.testing.client import Client, client
from gameserver.status import GameState

UID = "IbI4Fuu3SxGfuSvjIOk3DZ4B"


def players_file(tmp_path: Path, name: str) -> Path:
    """Return one of the game's files of players."""
    return tmp_path / "data" / "serverdata" / "Playerdata" / name


def write(tmp_path: Path, name: str, content: object) -> None:
    """Put a file where the game would have it."""
    path = players_file(tmp_path, name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content if isinstance(content, str) else json.dumps(content))


@pytest.fixture
async def stopped(api: Client, tmp_path: Path) -> Client:
    """Give the API of a stopped game that knows one player, Ada."""
    write(
        tmp_path,
        "playerdata.json",
        [{"PlayerUID": UID, "LastKnownPlayername": "Ada", "RoleCode": "suplayer", "New": 1}],
    )
    return api


async def test_whitelist_of_a_stopped_game(stopped: Client, tmp_path: Path) -> None:
    """The file of a stopped game gets an entry in its own shape, and loses it again."""
    sent = {"reason": "A friend [of ours]"}
    added = await stopped.put("/players/ada/whitelist", json=sent)
    assert added.json() == {"outcome": "done", "proof": "file", "reply": []}
    (entry,) = json.loads(players_file(tmp_path, "playerswhitelisted.json").read_text())
    assert entry.keys() == {
        "PlayerUID", "PlayerName", "UntilDate", "Reason", "IssuedByPlayerName",
    }  # fmt: skip
    assert (entry["PlayerUID"], entry["Reason"]) == (UID, "A friend [of ours]")
    again = await stopped.put("/players/Ada/whitelist", json={})
    assert again.json()["outcome"] == "unchanged"
    (shown,) = (await stopped.get("/players/whitelist")).json()
    assert (shown["uid"], shown["by"]) == (UID, "admin")
    removed = await stopped.delete("/players/Ada/whitelist")
    assert removed.json()["outcome"] == "done"
    assert (await stopped.get("/players/whitelist")).json() == []


async def test_role_of_a_stopped_game(stopped: Client, tmp_path: Path) -> None:
    """A role is changed in the file, and what we don't know of its entries is kept."""
    assert (await stopped.post("/players/Ada/op")).json()["outcome"] == "done"
    (entry,) = json.loads(players_file(tmp_path, "playerdata.json").read_text())
    assert (entry["RoleCode"], entry["New"]) == ("admin", 1)
    unknown = await stopped.put("/players/Ada/role", json={"role": "emperor"})
    assert unknown.status_code == 422
    assert unknown.json()["code"] == "unknown_role"


@pytest.mark.parametrize(
    ("config", "status"),
    [
        ('{"Roles": [{"Code": "emperor"},], /* by hand */}', 200),
        ('{"Roles": [{"Code": "king"}]}', 422),
        ('{"Roles": [{}]}', 422),
        ("{", 422),
        (None, 422),
    ],
)
async def test_roles_are_those_of_the_game_s_settings(
    stopped: Client, tmp_path: Path, config: str | None, status: int
) -> None:
    """They are read as leniently as the game reads them; unreadable settings mean the defaults."""
    if config is not None:
        (tmp_path / "data/serverdata/serverconfig.json").write_text(config)
    response = await stopped.put("/players/Ada/role", json={"role": "emperor"})
    assert response.status_code == status


async def test_stranger_of_a_stopped_game(stopped: Client) -> None:
    """Of one who was never here the UID must be sent; then the entry is made."""
    refused = await stopped.put("/players/Zoë/whitelist", json={})
    assert (refused.status_code, refused.json()["code"]) == (404, "player_not_found")
    sent = {"uid": "a+b/c=0123456789abcdefgh"}
    assert (await stopped.put("/players/Zoë/whitelist", json=sent)).json()["outcome"] == "done"
    ban = {"amount": 2, "unit": "week", "reason": "Griefing", **sent}
    assert (await stopped.put("/players/Zoë/ban", json=ban)).json()["outcome"] == "done"
    matches = await stopped.get("/players", params={"q": "zo"})
    assert "Link" not in matches.headers
    (zoe,) = matches.json()
    assert (zoe["name"], zoe["whitelisted"], zoe["role"]) == ("Zoë", True, None)
    assert zoe["banned_until"]
    assert (await stopped.delete("/players/Zoë/ban")).json()["outcome"] == "done"
    assert (await stopped.get("/players/bans")).json() == []


NO_NAMES = ("o[]", "a[]", "Ada Eve", "x" * 17, "Ada%0A", "Ada;stop", "%00", "..%2f..", "a%0ab")
BAD_BANS: tuple[dict[str, object], ...] = (
    {},
    {"amount": 1, "unit": "day"},
    {"amount": 1, "reason": "x"},
    {"unit": "day", "reason": "x"},
    {"amount": 0, "unit": "day", "reason": "x"},
    {"amount": True, "unit": "day", "reason": "x"},
    {"amount": 10**9, "unit": "year", "reason": "x"},
    {"amount": 1, "unit": "eon", "reason": "x"},
    {"amount": 1, "unit": "day", "reason": "x\n/stop"},
    {"amount": 1, "unit": "day", "reason": "x\u2028/stop"},
    {"amount": 1, "unit": "day", "reason": " "},
    {"amount": 1, "unit": "day", "reason": "x", "uid": "a\nb"},
)
DAMAGES = ("", "{}", "[1]", "[{}", "nonsense", "[" * 100_000)


async def test_hostile_names(stopped: Client, tmp_path: Path) -> None:
    """What is no name never becomes part of a command or a file."""
    for name in NO_NAMES:
        for response in (
            await stopped.put(f"/players/{name}/whitelist", json={"uid": UID}),
            await stopped.post(f"/players/{name}/kick", json={}),
            await stopped.post(f"/players/{name}/op"),
        ):
            assert response.status_code in {404, 422}, name
    assert not players_file(tmp_path, "playerswhitelisted.json").exists()


async def test_bad_bans(stopped: Client) -> None:
    """A ban takes amount, unit and reason: all of them, in their bounds, on one line."""
    for ban in BAD_BANS:
        assert (await stopped.put("/players/Ada/ban", json=ban)).status_code == 422, ban
    assert (await stopped.get("/players/bans")).json() == []


async def test_damaged_files(stopped: Client, tmp_path: Path) -> None:
    """A file that is no list of players is a clear problem, and is left as it is."""
    for content in DAMAGES:
        write(tmp_path, "playersbanned.json", content)
        with stopped.expecting(503):
            shown = await stopped.get("/players/bans")
            await stopped.delete("/players/Ada/ban")
        assert (shown.status_code, shown.json()["code"]) == (503, "player_file_damaged")
        assert players_file(tmp_path, "playersbanned.json").read_text() == content


async def test_links_are_not_followed(stopped: Client, tmp_path: Path) -> None:
    """A link in the place of a file is refused, and its target untouched."""
    target = tmp_path / "elsewhere.json"
    target.write_text("[]")
    players_file(tmp_path, "playersbanned.json").symlink_to(target)
    with stopped.expecting(503):
        assert (await stopped.get("/players/bans")).status_code == 503
    assert target.read_text() == "[]"


async def test_bounds_of_dates(stopped: Client, tmp_path: Path) -> None:
    """Entries with dates at the end of all calendars, or without any, are shown."""
    dates = ["9999-12-31T23:59:59.9999999+14:00", "0001-01-01T00:00:00", "x", None, 5]
    entries = [
        {"PlayerUID": f"u{number}", "PlayerName": f"P{number}", "UntilDate": date}
        for number, date in enumerate(dates)
    ]
    write(tmp_path, "playersbanned.json", entries)
    shown = (await stopped.get("/players/bans")).json()
    assert {item["name"] for item in shown} >= {"P2", "P3", "P4"}
    sent = {"amount": 1000, "unit": "year", "reason": "x"}
    assert (await stopped.put("/players/Ada/ban", json=sent)).json()["outcome"] == "done"


async def test_monitor_only_looks(app: FastAPI, monitor: dict[str, str]) -> None:
    """The monitor key reads, and changes nothing."""
    async with client(app, headers=monitor) as api:
        assert (await api.get("/players")).status_code == 200
        assert (await api.post("/players/Ada/op")).status_code == 403
        assert (await api.put("/players/Ada/whitelist", json={})).status_code == 403


@pytest.fixture
async def playing(api: Client) -> Client:
    """Give the API of a game that runs, which Ada plays."""
    started = await api.post("/server/start", params={"wait": 20})
    assert started.json()["state"] == GameState.RUNNING
    for command in ("/whitelist off", "/simulate join Ada 203.0.113.7"):
        await api.post("/console/commands", json={"command": command})
    return api


async def test_running(playing: Client, monitor: dict[str, str]) -> None:
    """With a running game the same is done by commands, and proven by what the game does."""
    (ada,) = (await playing.get("/players/online")).json()
    assert (ada["name"], ada["address"]) == ("Ada", "203.0.113.7")
    (seen,) = (await playing.get("/players/online", headers=monitor)).json()
    assert seen["address"] is None
    for ask, shows in (
        (playing.put("/players/Ada/whitelist", json={"reason": "a [b]"}), "/players/whitelist"),
        (
            playing.put("/players/Ada/ban", json={"amount": 1, "unit": "day", "reason": "x"}),
            "/players/bans",
        ),
    ):
        done = (await ask).json()
        assert (done["outcome"], done["proof"]) == ("done", "effect")
        assert done["reply"]
        assert [item["name"] for item in (await playing.get(shows)).json()] == ["Ada"]
    assert (await playing.get("/players/online")).json() == []
    assert (await playing.delete("/players/Ada/ban")).json()["outcome"] == "done"
    assert (await playing.delete("/players/Ada/ban")).json()["outcome"] == "unchanged"
    assert (await playing.post("/players/Ada/op")).json()["outcome"] == "done"
    (player,) = (await playing.get("/players")).json()
    assert (player["role"], player["whitelisted"], player["banned_until"]) == ("admin", True, None)


async def test_kick(playing: Client) -> None:
    """Who is kicked is gone, and who isn't there can't be kicked."""
    kicked = await playing.post("/players/ada/kick", json={"reason": "Bye"})
    assert kicked.json()["outcome"] == "done"
    assert (await playing.get("/players/online")).json() == []
    absent = await playing.post("/players/Ada/kick", json={})
    assert (absent.status_code, absent.json()["code"]) == (409, "player_not_online")
    (session,) = (await playing.get("/players/sessions")).json()
    assert (session["name"], session["ended"]) == ("Ada", "left")
    assert "203.0.113.7" not in json.dumps(session)


async def test_late_replies(playing: Client) -> None:
    """A name that the auth server must be asked about is answered late, and found out."""
    found = await playing.put("/players/Stranger/whitelist", json={})
    assert found.json()["outcome"] == "done"
    missing = await playing.put("/players/nobody1/whitelist", json={})
    assert (missing.status_code, missing.json()["code"]) == (404, "player_not_found")


async def test_stopped_game_kicks_nobody(stopped: Client) -> None:
    """A game that doesn't run has nobody to kick."""
    refused = await stopped.post("/players/Ada/kick", json={})
    assert (refused.status_code, refused.json()["code"]) == (409, "game_not_running")
