"""A game from its first line to its exit code."""

import sqlite3
from contextlib import suppress

from gameserver_simulator.game import commands, listening, shutdown, startup
from gameserver_simulator.game.exceptions import Crashed, Ended, StopRequested
from gameserver_simulator.game.game import Game
from gameserver_simulator.game.json_files import Unreadable
from gameserver_simulator.game.options import Options

CONFIG_DELAY = 1.0
"""Seconds between a change of the settings and the write of their file."""

CRASHED = 134
"""Exit code of a .NET program that ends by an unhandled exception, as a shell reports SIGABRT."""

FAILED = 1
MAX_EXIT_CODE = 0xFF


def run(options: Options) -> int:
    """Run a game until it ends, and return its exit code."""
    options.data_path.mkdir(parents=True, exist_ok=True)
    game = Game(options)
    game.log.open()
    listening.begin(game)
    try:
        code = _live(game)
    except Crashed as crash:
        code = _crash(game, str(crash), CRASHED)
    except (OSError, Unreadable, sqlite3.Error) as error:
        code = _crash(game, f"{type(error).__name__}: {error}", FAILED)
    return (code if options.exit_code is None else options.exit_code) & MAX_EXIT_CODE


def _live(game: Game) -> int:
    try:
        with suppress(StopRequested):
            startup.run(game)
            _begin_routine(game)
            game.loop()
        shutdown.run(game)
    except Ended as ended:
        return ended.exit_code
    return game.requested_exit_code


def _begin_routine(game: Game) -> None:
    game.config.changed = lambda: game.later(CONFIG_DELAY, game.config.save)
    _autosave_later(game)
    game.fault_modes.begin()
    for line in game.config.startup_commands:
        commands.handle(game, line)


def _autosave_later(game: Game) -> None:
    def save() -> None:
        game.saving.autosave()
        _autosave_later(game)

    seconds = game.options.autosave_seconds
    game.later(game.config.autosave_seconds if seconds is None else seconds, save)


def _crash(game: Game, exception: str, code: int) -> int:
    text = (
        f"{exception}\n   at Vintagestory.Server.ServerMain.Process()"
        "\n   at Vintagestory.Server.ServerProgram.Main(String[] rawArgs)"
    )
    game.log.write("Fatal", f"Caught unhandled exception. Shutting down server.\n{text}")
    game.log.crash(f"Game Version: v{game.options.version} (Stable)\n{text}")
    return code
