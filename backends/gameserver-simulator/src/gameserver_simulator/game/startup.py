"""From the first line to "now running on Port"."""

import os
import sqlite3
from pathlib import Path

from gameserver_simulator.game import listening
from gameserver_simulator.game.exceptions import Crashed, Ended
from gameserver_simulator.game.game import Game
from gameserver_simulator.game.json_files import Unreadable
from gameserver_simulator.game.options import DEFAULT_PORT, VERSION_FILE
from gameserver_simulator.game.saving import check_disk
from gameserver_simulator.game.world import World

FAILED = 1
PAUSES = 10
"""Number of equal waits into which `--boot-seconds` is divided."""


def run(game: Game) -> None:
    """Start the game, and return when it is ready.

    Raises `Ended` when the game refuses to start, `StopRequested` at a signal or as
    `Core.end_itself` does.
    """
    _introduce(game)
    _configure(game)
    _load_mods(game)
    _load_world(game)
    _prepare_assets(game)
    _prepare_world(game)
    _open_port(game)


def _wait(game: Game, parts: int = 1) -> None:
    game.pause(game.options.boot_seconds * parts / PAUSES)


def _introduce(game: Game) -> None:
    log, version = game.log, game.options.version
    log.notification("Server logger started.")
    log.notification(f"Game Version: v{version} ({_branch(version)})")
    log.notification(f"C# Framework: .net {game.options.framework}")
    log.notification("Zstd Version: 1.5.4")
    log.notification("Operating System: Linux (simulated) [Kernel 6.1.0]")
    log.notification(f"CPU Cores: {os.cpu_count() or 1}")
    log.notification("CPU: Unknown")
    log.notification("Available RAM: 3796 MB")
    _refuse_stale_assets(game)
    log.event("Launching server...")
    log.event(f"Server v{version}, network v{version}, api v{version}")


def _branch(version: str) -> str:
    return "Unstable" if "-" in version else "Stable"


def _refuse_stale_assets(game: Game) -> None:
    """Refuse to start over the leftovers of another version (LinuxGSM #4920)."""
    files = sorted(path.name for path in (game.options.server_folder / "assets").glob(VERSION_FILE))
    if len(files) > 1:
        game.log.write(
            "Fatal",
            f"Found more than one version file in the assets folder: {', '.join(files)}. "
            "Remove the old assets and install again.",
        )
        raise Ended(FAILED)


def _configure(game: Game) -> None:
    game.log.notification("Entering runphase Initialization")
    game.log.event("Loading configuration...")
    if game.config.is_new:
        game.log.notification("serverconfig.json not found, creating new one")
    for read, reason in (
        (game.config.load, "serverconfig.json read error"),
        (game.players.load, "Failed reading playerdata"),
    ):
        try:
            read()
        except Unreadable as error:
            text = f"Failed to read a settings file. {error}"
            game.end_itself(reason, text, error=text)
    game.is_configured = True
    if game.options.max_clients is not None:
        game.config.values["MaxClients"] = game.options.max_clients
    _wait(game)


def _load_mods(game: Game) -> None:
    game.log.notification("Entering runphase Configuration")
    game.mods.load()
    _wait(game)


def _load_world(game: Game) -> None:
    check_disk(game)
    game.log.notification("Loading savegame")
    path = Path(game.config.values["WorldConfig"]["SaveFileLocation"])
    try:
        game.world = World(path, game.options.version, game.options.world_kib)
    except (sqlite3.Error, OSError, ValueError, TypeError) as error:
        game.end_itself("Failed opening savegame", f"Savegame {path} could not be loaded: {error}")
    if game.world.is_new:
        game.log.notification("No savegame found, creating new one")
    game.log.notification(f"Savegame {path} loaded")
    values = game.config.values
    size = f"{values['MapSizeX']} {values['MapSizeY']} {values['MapSizeZ']}"
    game.log.notification(f"World size = {size}")
    _wait(game)


def _prepare_assets(game: Game) -> None:
    log = game.log
    log.notification("Entering runphase AssetsReady")
    _wait(game)
    log.event("36 knapping recipes loaded")
    _fail_on_purpose(game)
    log.notification("Entering runphase AssetsFinalize")
    _wait(game)
    log.event("Server assets loaded, parsed, registered and finalized")
    log.event("Initialising systems...")


def _fail_on_purpose(game: Game) -> None:
    """Hang or crash at the point where a broken game or mod does."""
    options = game.options
    if game.mods.crashes:
        mod = game.mods.crashes[0]
        game.log.write("Error", f"Critical error occurred in the following mod: {mod}")
        raise Crashed(f"System.NullReferenceException in {mod}")
    game.fault_modes.crash_first()
    stuck = options.hang_at_start or options.hang_with_version == options.version
    if stuck or game.mods.hangs:
        game.pause(None)


def _prepare_world(game: Game) -> None:
    log = game.log
    log.notification("Entering runphase LoadGamePre")
    log.notification("Started 108 systems on Server:")
    log.notification("    Mod 'VSEssentials.dll' (game):")
    log.notification("        Vintagestory.ServerMods.Core")
    _wait(game, 2)
    log.notification("Entering runphase GameReady")
    world = game.config.values["WorldConfig"]
    log.notification(
        f"{'Created new' if game.world.is_new else 'Loaded existing'} save game data. "
        f"Playstyle: {world['PlayStyle']}, Playstyle Lang code: {world['PlayStyleLangCode']}, "
        f"WorldType: {world['WorldType']}"
    )
    _wait(game, 2)
    log.notification("Entering runphase WorldReady")
    log.event("Loading 9x9x8 spawn chunks...")
    log.notification("Ok, added 49 columns, 0 left to add, waiting until these are done.")
    _wait(game)
    log.notification("Ok, 49 columns, generated!")


def _open_port(game: Game) -> None:
    game.log.notification("Entering runphase RunGame")
    values, options = game.config.values, game.options
    ip = options.ip or values["Ip"]
    ports = (options.port, values["Port"], DEFAULT_PORT)
    port = next(port for port in ports if port is not None)
    try:
        port = listening.open_port(game, ip, port)
    except OSError as error:
        game.log.write("Error", f"Exception: {error}\n   at System.Net.Sockets.Socket.Bind()")
        raise Crashed(
            f"System.Net.Sockets.SocketException ({error.errno}): {error.strerror}"
        ) from None
    place = f"ip {ip}" if ip else "all ips"
    game.log.event(f"{game.translate('dedicated')} now running on Port {port} and {place}!")
