"""/announce and /list."""

from gameserver_simulator.game.commands.command import Command, UsageError
from gameserver_simulator.game.game import Game
from gameserver_simulator.game.mods import order
from gameserver_simulator.game.players import CONSOLE, Client

CLIENT_STATE_SINCE = order("1.22.0")


def announce(game: Game, words: str) -> None:
    """/announce message; it has no reply."""
    if not words:
        raise UsageError
    game.log.event(f"{CONSOLE} announced: {words}.")


def show_list(game: Game, words: str) -> str:
    """/list clients|banned|whitelisted|role|privileges."""
    lists = {
        "clients": _clients,
        "c": _clients,
        "banned": _banned,
        "role": _roles,
        "privileges": _privileges,
    }
    if words not in lists:
        raise UsageError
    return lists[words](game)


def _clients(game: Game) -> str:
    rows = [_client(game, each) for each in game.players.online.values()]
    return "\n".join([game.translate("online"), *rows])


def _client(game: Game, client: Client) -> str:
    row = f"[{client.number}] {client.name} {client.address}"
    if order(game.options.version) < CLIENT_STATE_SINCE:
        return row
    return f"Playing {row} (50ms) (0s inactive)"


def _banned(game: Game) -> str:
    rows = [
        f"{each['PlayerName']} until {each['UntilDate']}. Reason: {each['Reason']}"
        for each in game.players.banned
    ]
    return "\n".join(["List of banned users:", *rows])


def _roles(game: Game) -> str:
    return "\n".join(
        ["List of roles:", *(f"{each['Code']}: {each['Name']}" for each in _role_list(game))]
    )


def _privileges(game: Game) -> str:
    names = {name for role in _role_list(game) for name in role["Privileges"]}
    return "\n".join(["List of privileges:", *sorted(names)])


def _role_list(game: Game) -> list[dict[str, list[str]]]:
    roles: list[dict[str, list[str]]] = game.config.values["Roles"]
    return roles


COMMANDS = {
    "announce": Command(announce, "message", "Says something to everybody"),
    "list": Command(show_list, "clients|banned|role|privileges", "Shows lists"),
}
