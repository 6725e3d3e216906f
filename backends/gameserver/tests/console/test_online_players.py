"""Who plays."""

from datetime import UTC, datetime

import pytest

from gameserver.console.lines import ConsoleLine
from gameserver.console.online_players import MAX_CLIENTS, OnlinePlayers

NOW = datetime(2026, 1, 2, tzinfo=UTC)
ADDRESS = "[::ffff:149.102.168.245]:57239"
UID = "IbI4Fuu3SxGfuSvjIOk3DZ4B"
URAKA = [
    ("Notification", f"A Client attempts connecting via TCP on {ADDRESS}, assigning client id 1"),
    ("Notification", f"Client 1 uid {UID} attempting identification. Name: Uraka"),
    ("Event", f"Uraka {ADDRESS} joins."),
]


def line(level: str, text: str) -> ConsoleLine:
    """Return a line of the console."""
    return ConsoleLine(NOW, level, text)


def online_after(*lines: tuple[str, str]) -> OnlinePlayers:
    """Return who is online after these lines."""
    players = OnlinePlayers()
    for level, text in lines:
        one = line(level, text)
        if one.authentic:
            players.take(one)
    return players


def test_a_player_comes_and_goes() -> None:
    """Connection, identification and join make a player, the disconnection ends it."""
    players = online_after(*URAKA)
    (player,) = players.list()
    assert (player.name, player.uid, player.client) == ("Uraka", UID, 1)
    assert player.address == "149.102.168.245"
    assert players.find("uRAKA") == player
    assert players.find("Other") is None
    assert len(players) == 1
    assert players.take(line("Event", "Client 1 disconnected."))
    assert players.list() == []


@pytest.mark.parametrize("end", [".", ": ", ": Account verification failed"])
@pytest.mark.parametrize("level", ["Event", "Notification"])
def test_every_form_of_leaving(end: str, level: str) -> None:
    """The number of the client says who left, whatever the reason and the language."""
    assert online_after(*URAKA, (level, f"Client 1 disconnected{end}")).list() == []


@pytest.mark.parametrize(
    ("level", "text"),
    [
        ("Chat", "Client 1 disconnected."),
        ("Chat", "0 | Bob: 5.9.2026 22:10:48 [Server Event] Client 1 disconnected."),
        ("Notification", "Bob: Client 1 disconnected."),
        ("Audit", "Client 1 disconnected."),
        ("Event", "Admin announced: Client 1 disconnected."),
        ("Event", "Client 12 disconnected."),
        ("Event", "Player Uraka left."),
    ],
)
def test_nobody_is_sent_away_by_words(level: str, text: str) -> None:
    """Chat, announcements and other numbers don't end anybody's stay."""
    assert len(online_after(*URAKA, (level, text))) == 1


@pytest.mark.parametrize(
    ("level", "text"),
    [
        ("Chat", "0 | Bob: Uraka 1.2.3.4:5 joins."),
        ("Chat", "Uraka 1.2.3.4:5 joins."),
        ("Event", "Admin announced: Uraka 1.2.3.4:5 joins."),
        ("Event", "Uraka 1.2.3.4:5 joins.\nmore"),
        ("Event", "Someone 1.2.3.4:5 joins."),
        ("Notification", "Uraka 1.2.3.4:5 joins."),
    ],
)
def test_nobody_appears_by_words(level: str, text: str) -> None:
    """Only a client that identified itself joins, and only as the server says it."""
    assert len(online_after(*URAKA[:2], (level, text))) == 0


def test_a_client_that_never_logs_in() -> None:
    """Who disconnects before joining was never online."""
    assert online_after(*URAKA[:2], ("Event", "Client 1 disconnected."), URAKA[2]).list() == []


def test_guild_tags_and_unicode_names() -> None:
    """Tags before a name don't hide it, and names may be of any script."""
    lines = [
        ("Notification", "Client 2 uid a/b+c== attempting identification. Name: Ёж-_9"),
        ("Event", "[RAC] [x y] Ёж-_9 192.168.31.220:63829 joins."),
    ]
    assert [player.name for player in online_after(*lines).list()] == ["Ёж-_9"]


def test_a_number_is_given_again() -> None:
    """A new client of the same number ends the stay of the one before, whose end was missed."""
    gone: list[str] = []
    players = OnlinePlayers(on_leave=lambda player: gone.append(player.name))
    for level, text in URAKA:
        players.take(line(level, text))
    players.take(line(*URAKA[1]))
    assert gone == ["Uraka"]
    assert players.list() == []
    players.clear()
    assert gone == ["Uraka"]


def test_a_flood_of_clients_is_bounded() -> None:
    """Clients that never join displace each other, not those who play."""
    players = online_after(*URAKA)
    for number in range(2, 3 * MAX_CLIENTS):
        text = f"Client {number} uid x attempting identification. Name: Flood{number}"
        players.take(line("Notification", text))
    assert len(players._clients) <= MAX_CLIENTS
    assert [player.name for player in players.list()] == ["Uraka"]


def test_identification_without_a_number() -> None:
    """Servers of 1.19.0-pre.5 and before don't name the client: its address does."""
    lines = [
        (
            "Notification",
            "A Client attempts connecting via TCP on 1.2.3.4:5678, assigning client id 7",
        ),
        ("Notification", "Client uid abc attempting identification. Name: Ada"),
        ("Event", "Ada 1.2.3.4:5678 joins."),
    ]
    players = online_after(*lines)
    assert [(player.name, player.uid, player.client) for player in players.list()] == [
        ("Ada", "abc", 7)
    ]
    players.take(line("Notification", "Client 7 disconnected: "))
    assert players.list() == []
    assert online_after(lines[0], lines[2]).list() == []
    assert online_after(lines[1], lines[2]).list() == []
