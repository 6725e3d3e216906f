"""The console: echo, replies, selectors, lists, settings."""

import json
import re
from collections.abc import Callable
from typing import Any

import pytest

from gameserver_simulator.game.commands import COMMANDS
from gameserver_simulator.game.players import uid_of

Launch = Callable[..., Any]


def loaded(game: Any, name: str) -> Any:
    """Return what one of the game's JSON files holds."""
    return json.loads((game.data / name).read_text())


def test_a_command_is_echoed_with_a_trailing_blank(game: Any) -> None:
    """The echo of a command without words ends with a blank; the reply has lines without time."""
    game.send("/time")
    assert game.expect("Handling Console Command").endswith("Handling Console Command /time ")
    assert re.search(r"Server time: 1\. May, Year 0, 08:0\d$", game.expect("Server time"))
    assert game.expect("Game Speed").startswith("Game Speed:")


def test_stats_are_a_block_with_empty_lines(game: Any) -> None:
    """/stats prints many lines of which one bears the time."""
    game.send("/stats", "/time")
    game.expect("Handling Console Command /time")
    begin = next(place for place, line in enumerate(game.lines) if "] Version: " in line)
    end = next(place for place, line in enumerate(game.lines) if "Command /time" in line)
    block = game.lines[begin + 1 : end]
    assert "" in block
    assert "Players online: 0 / 16" in block
    assert not any("[Server" in line for line in block)


def test_an_unknown_command_is_refused(game: Any) -> None:
    """Nonsense gets an answer."""
    game.send("/frobnicate 1")
    game.expect("No such command exists")


@pytest.mark.parametrize(
    "line",
    [
        "/ban Uraka",
        "/stop now",
        "/sc maxclients many",
        "/kick",
        "/kick x[]",
        "/ban a 9999999999 day x",
    ],
)
def test_wrong_words_do_not_end_the_game(game: Any, line: str) -> None:
    """A wrong use is answered, and the game goes on."""
    game.send(line, "/time")
    game.expect("Server time")


def test_no_words_end_the_game(game: Any) -> None:
    """Every command survives whatever words it is given."""
    nasty = [
        "",
        "x",
        "o[]",
        "a[role=x]",
        "[",
        "-1",
        "9" * 30,
        "nan x",
        "1e400 1",
        "{0}",
        "\0",
        "é ]",
    ]
    calm = [name for name in COMMANDS if name not in {"stop", "simulate"}]
    lines = [f"/{name} {words}" for name in calm for words in nasty]
    kinds = [f"/simulate {kind} {words}" for kind in ("join", "leave", "say") for words in nasty]
    game.send(*lines, *kinds, "/announce over")
    game.expect("Admin announced: over.")


def test_a_line_without_a_slash_is_chat_and_one_with_a_dot_nothing(game: Any) -> None:
    """What is no command is said by Admin; what begins with a dot is ignored."""
    game.send(".help", "hello there")
    assert game.expect("[Server Chat]").endswith("0 | Admin: hello there")
    assert not any(".help" in line for line in game.lines)


def test_help_lists_the_commands(game: Any) -> None:
    """Each command has a line in angle brackets."""
    game.send("/help")
    game.expect("Available commands:")
    game.expect("<code>/time ")


def test_an_old_server_numbers_no_identification(launch: Any) -> None:
    """Up to 1.18 the line of the identification names no client."""
    game = launch(game_version="1.18.6").ready()
    game.send("/simulate join Uraka")
    game.expect(f"Client uid {uid_of('Uraka')} attempting identification. Name: Uraka")


def test_a_player_comes_and_goes(game: Any) -> None:
    """The lines of a session are those of the reference, and the calendar pauses after it."""
    uid = uid_of("Uraka")
    game.send("/whitelist off")
    game.send("/simulate join Uraka ::ffff:149.102.168.245", "/list clients")
    game.expect("A Client attempts connecting via TCP on [::ffff:149.102.168.245]:")
    game.expect(f"Client 1 uid {uid} attempting identification. Name: Uraka")
    game.expect("Placing Uraka at ")
    line = game.expect("joins.")
    assert re.search(r"\[Server Event\] Uraka \[::ffff:149\.102\.168\.245\]:\d+ joins\.$", line)
    game.expect("List of online Players")
    assert game.expect("[1] Uraka").startswith("[1] Uraka [::ffff:")
    game.send("/simulate leave Uraka", "/simulate join Erney")
    game.expect("[Server Notification] Client 1 disconnected: ")
    game.expect("[Server Event] Player Uraka left.")
    game.expect("[Server Event] Client 1 disconnected.")
    game.expect("All clients disconnected, pausing game calendar.")
    game.expect("A client reconnected, resuming game calendar.")


def test_newer_versions_show_the_state_of_clients(launch: Launch) -> None:
    """From 1.22 on the list begins a line with what the client does."""
    game = launch(game_version="1.22.0").ready()
    game.send("/simulate join Uraka", "/list c")
    assert game.expect("[1] Uraka").startswith("Playing [1] Uraka ")


def test_older_versions_print_chat_differently(launch: Launch) -> None:
    """Before 1.21 chat names the player twice."""
    game = launch(game_version="1.20.12").ready()
    game.send("/simulate chat Priya13 hiiii")
    assert game.expect("[Server Chat]").endswith("Priya13: <strong>Priya13:</strong> hiiii")


def test_an_unfinished_login_never_joins(game: Any) -> None:
    """Such a client is disconnected without having joined."""
    game.send("/simulate unfinished Uraka")
    game.expect("Client 1 disconnected: Account verification failed")
    assert not any("joins." in line for line in game.lines)


def test_a_selector_means_everybody(game: Any) -> None:
    """/kick o[] throws everybody out."""
    game.send("/simulate join Uraka", "/simulate join Erney", "/kick o[] maintenance")
    game.expect("Uraka has been kicked by Admin, reason: maintenance")
    game.expect("Erney has been kicked by Admin, reason: maintenance")
    game.send("/kick Uraka")
    game.expect("No such user online")


def test_filters_of_a_selector_hold(game: Any) -> None:
    """Only those whom the filter fits are thrown out."""
    game.send("/simulate join Uraka", "/simulate join Erney", "/kick o[namematches=Er*]")
    game.expect("Erney has been kicked")
    game.send("/list clients")
    game.expect("[1] Uraka")


def test_an_unknown_player_is_answered_later(launch: Launch) -> None:
    """The auth server is asked first: other replies come in between."""
    game = launch(lookup_seconds=0.3).ready()
    game.send("/op nobody1", "/op Uraka", "/time")
    game.expect("Server time")
    game.expect("No player with name or uid 'nobody1' exists")
    game.expect("Ok, role Admin assigned to Uraka")
    game.send("/op Uraka")
    game.expect("Player is already in group admin")
    assert loaded(game, "Playerdata/playerdata.json")[0]["RoleCode"] == "admin"


def test_a_ban_keeps_out_until_it_is_lifted(game: Any) -> None:
    """The lists are written at once; a banned player fails to join."""
    game.send("/simulate join Uraka", "/ban Uraka 2 week griefing")
    game.expect("Player Uraka got removed")
    game.expect("Player is now banned until")
    entry = loaded(game, "Playerdata/playersbanned.json")[0]
    assert entry["PlayerUID"] == uid_of("Uraka")
    assert entry["Reason"] == "griefing"
    game.send("/simulate join Uraka")
    game.expect("[Server Event] Uraka fails to join (banned).")
    game.send("/unban Uraka", "/unban Uraka")
    game.expect("Player is now unbanned")
    game.expect("Player was not banned")
    assert loaded(game, "Playerdata/playersbanned.json") == []


def test_the_whitelist_is_on_unless_switched_off(game: Any) -> None:
    """A stranger from afar is refused by default, until listed."""
    game.send("/simulate join Uraka 1.2.3.4")
    game.expect("This server only allows whitelisted players to join.")
    game.send("/whitelist add Uraka friend")
    game.expect("Player is now whitelisted until")
    game.send("/whitelist add Uraka", "/simulate join Uraka 1.2.3.4")
    game.expect("Player is already whitelisted")
    game.expect("joins.")
    game.send("/whitelist on", "/whitelist off", "/whitelist remove Uraka")
    game.expect("Whitelist was already enabled")
    game.expect("Whitelist now disabled")
    game.expect("Player is now removed from the whitelist")


def test_settings_change_while_it_runs(game: Any) -> None:
    """/serverconfig answers old and new values; the file follows, at the latest at the stop."""
    game.send("/serverconfig maxclients", "/sc maxclients 12", "/sc allowpvp off", "/sc name A b c")
    game.expect("Current maxclients is 16")
    game.expect("maxclients set to 12")
    game.expect("allowpvp set to off")
    game.stop()
    config = loaded(game, "serverconfig.json")
    assert (config["MaxClients"], config["AllowPvP"], config["ServerName"]) == (12, False, "A b c")


def test_an_edit_while_it_runs_is_lost(game: Any) -> None:
    """The settings live in memory: the stop overwrites what was edited in the file."""
    path = game.data / "serverconfig.json"
    edited = {**json.loads(path.read_text()), "ServerName": "edited"}
    path.write_text(json.dumps(edited))
    game.stop()
    assert json.loads(path.read_text())["ServerName"] == "Vintage Story Server"


def test_an_edit_while_it_is_stopped_holds(launch: Launch) -> None:
    """Between two runs the file decides, unknown keys stay."""
    game = launch().ready()
    game.stop()
    path = game.data / "serverconfig.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "MaxClients": 3, "Own": 1}))
    again = launch().ready()
    again.send("/sc maxclients")
    again.expect("Current maxclients is 3")
    again.stop()
    assert loaded(again, "serverconfig.json")["Own"] == 1


def test_the_command_line_overrides_the_number_of_players(launch: Launch) -> None:
    """With --maxclients the console says that it is overridden."""
    game = launch("--maxclients", "3").ready()
    game.send("/sc maxclients 5")
    game.expect("overridden by the command line")


def test_the_autosave_interval_has_bounds(game: Any) -> None:
    """It is kept in servermagicnumbers.json, between 30 and 3600 seconds."""
    game.send("/sc autosaveintervall 5", "/sc autosaveintervall 600")
    game.expect("must be between 30 and 3600")
    game.expect("autosaveintervall set to 600")
    game.stop()
    assert loaded(game, "servermagicnumbers.json")["ServerAutoSave"] == 600


def test_roles_privileges_and_wiping(game: Any) -> None:
    """/player shows and changes what is kept of a player."""
    game.send("/simulate join Uraka", "/player Uraka role", "/player Uraka role sumod")
    game.expect("Player has role suplayer")
    game.expect("Ok, role Survival Moderator assigned to Uraka")
    game.send("/player Uraka privilege grant time")
    game.expect("Privilege time granted to Uraka")
    assert loaded(game, "Playerdata/playerdata.json")[0]["PermaPrivileges"] == ["time"]
    game.send("/player a[] wipedata")
    game.expect("Data of Uraka wiped")
    assert loaded(game, "Playerdata/playerdata.json") == []


def test_an_announcement_is_an_event_without_a_reply(game: Any) -> None:
    """/announce logs who said what."""
    game.send("/announce back in five minutes")
    game.expect("[Server Event] Admin announced: back in five minutes.")


@pytest.mark.parametrize(
    ("language", "listed", "ready"),
    [
        ("de", "Liste der Spieler", "Dedizierter Server now running on Port"),
        ("fr", "Liste des joueurs", "Serveur dédié now running on Port"),
        ("ru", "Список игроков", "now running on Port"),
    ],
)
def test_the_language_is_that_of_the_settings(
    launch: Launch, data: Any, language: str, listed: str, ready: str
) -> None:
    """ServerLanguage changes texts, but not what is stable in every language."""
    data.mkdir()
    (data / "serverconfig.json").write_text(json.dumps({"ServerLanguage": language}))
    game = launch()
    game.expect(ready)
    game.send("/list clients", "/simulate join Uraka")
    game.expect(listed)
    game.expect("joins.")
