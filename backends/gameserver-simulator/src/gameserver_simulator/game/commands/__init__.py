"""What is typed at the console."""

from typing import TYPE_CHECKING

from gameserver_simulator.game.commands import (
    announcements,
    configuration,
    moderation,
    server,
    simulation,
    whitelisting,
)
from gameserver_simulator.game.commands.words import Command, WrongUse
from gameserver_simulator.game.players import CONSOLE

if TYPE_CHECKING:
    from gameserver_simulator.game.game import Game

COMMANDS: dict[str, Command] = {
    **server.COMMANDS,
    **announcements.COMMANDS,
    **moderation.COMMANDS,
    **whitelisting.COMMANDS,
    **configuration.COMMANDS,
    **simulation.COMMANDS,
}
"""Every command by its name."""


def handle(game: "Game", line: str) -> None:
    """Handle a line of the console: a command, an ignored line, or chat of the console."""
    if line.startswith("."):
        return
    if not line.startswith("/"):
        if line:
            game.sessions.chat(CONSOLE, line)
        return
    name, _, rest = line[1:].partition(" ")
    game.log.notification(f"Handling Console Command /{name} {rest}")
    if game.options.crash_on and line.startswith(game.options.crash_on):
        game.fault_modes.crash()
    reply = _answer(game, name.lower(), rest.strip())
    if reply:
        game.log.notification(reply)


def _answer(game: "Game", name: str, rest: str) -> str | None:
    if name == "help":
        return _help(rest)
    command = COMMANDS.get(name)
    if command is None:
        return game.texts("unknown command")
    try:
        return command.handler(game, rest)
    except (WrongUse, ValueError, OverflowError):
        return game.texts("missing argument", f"/{name} {command.grammar}")


def _help(name: str) -> str:
    chosen = {name: COMMANDS[name]} if name in COMMANDS else COMMANDS
    rows = [
        f"<code>/{name} {each.grammar}</code> : {each.meaning}" for name, each in chosen.items()
    ]
    return "\n".join(["Available commands:", *rows])
