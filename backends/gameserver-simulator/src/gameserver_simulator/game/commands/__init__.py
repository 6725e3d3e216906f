"""The console's commands."""

from gameserver_simulator.game.commands import (
    configuration,
    information,
    moderation,
    server,
    simulation,
    whitelisting,
)
from gameserver_simulator.game.commands.command import Command, UsageError
from gameserver_simulator.game.game import Game
from gameserver_simulator.game.players import CONSOLE

COMMANDS: dict[str, Command] = {
    **server.COMMANDS,
    **information.COMMANDS,
    **moderation.COMMANDS,
    **whitelisting.COMMANDS,
    **configuration.COMMANDS,
    **simulation.COMMANDS,
}
"""Every command by its name."""


def handle(game: Game, line: str) -> None:
    """Handle a line of the console: a command, a line to ignore, or a chat message."""
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


def _answer(game: Game, name: str, rest: str) -> str | None:
    if name == "help":
        return _help(rest)
    command = COMMANDS.get(name)
    if command is None:
        return game.translate("unknown command")
    try:
        return command.handler(game, rest)
    except (UsageError, ValueError, OverflowError):
        return game.translate("missing argument", f"/{name} {command.grammar}")


def _help(name: str) -> str:
    commands = {name: COMMANDS[name]} if name in COMMANDS else COMMANDS
    rows = [f"<code>/{name} {c.grammar}</code> : {c.meaning}" for name, c in commands.items()]
    return "\n".join(["Available commands:", *rows])
