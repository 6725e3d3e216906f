"""Command-line options: the game's own, and the faults of the simulation.

Options that the real game doesn't have can also be set by environment variables:
`--hang-at-stop` is `SIMULATE_HANG_AT_STOP=1`, `--boot-seconds 5` is `SIMULATE_BOOT_SECONDS=5`.
"""

import argparse
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

DEFAULT_VERSION = "1.21.6"
DEFAULT_PORT = 42420
ENVIRONMENT_PREFIX = "SIMULATE_"
TRUE = {"1", "true", "yes", "on"}
VERSION_FILE = "version-*.txt"


def _own(meaning: str, default: object = None, kind: type = str) -> Any:
    return field(default=default, metadata={"meaning": meaning, "kind": kind})


def _flag(meaning: str) -> Any:
    return _own(meaning, default=False, kind=bool)


@dataclass(frozen=True, kw_only=True)
class Options:
    """The options of one run. Times are in seconds."""

    data_path: Path
    port: int | None = None
    ip: str | None = None
    max_clients: int | None = None
    mod_paths: tuple[Path, ...] = ()
    show_version: bool = False

    version: str = _own("game version; else that of assets/version-<v>.txt in --server-folder")
    server_folder: Path = field(
        default=Path(), metadata={"meaning": "where the game is installed", "kind": Path}
    )
    language: str | None = _own("en, de, fr or ru, instead of ServerLanguage in serverconfig.json")
    boot_seconds: float = _own("from the first line to ready", 1.0, float)
    save_seconds: float = _own("off-thread part of a save", 0.05, float)
    stop_seconds: float = _own("saving at the stop", 0.1, float)
    backup_seconds: float = _own("/genbackup", 0.5, float)
    lookup_seconds: float = _own("asking the auth server for an unknown player", 0.3, float)
    autosave_seconds: float | None = _own("between saves, instead of ServerAutoSave", kind=float)
    world_kib: int = _own("size of a new world, KiB", 256, int)
    growth_kib: int = _own("growth of the world per save, KiB", 64, int)

    console_by_line: bool = _flag("take each line as a command; the game takes each read as one")
    hang_at_start: bool = _flag("never become ready")
    hang_with_mod: str | None = _own("never become ready when this mod id is loaded")
    hang_with_version: str | None = _own("never become ready as this version")
    hang_at_stop: bool = _flag("/stop hangs before saving; a signal still ends it")
    ignore_sigterm: bool = _flag("SIGTERM and SIGINT do nothing")
    missing_runtime: bool = _flag("exit 150 at once, like the .NET host without its framework")
    self_kill: str | None = _own(
        "end in order for this reason once ready, such as 'Too many errors detected. See "
        "server-main.log file'"
    )
    fatal_self_kills: bool = _flag("a fatal line and exit code 1, where the game ends in order")
    exit_code: int | None = _own("exit code in every case", kind=int)
    crash_after: float | None = _own("crash after this time", kind=float)
    crash_first: int = _own("crash the first N starts over this data path", 0, int)
    crash_on: str | None = _own("crash on a command that begins with this, such as /time")
    suspend_fails: bool = _flag("saves and stops can't pause the server")
    suspend_seconds: float | None = _own(
        "how long they try, instead of 3 for a save and 10 for a stop", kind=float
    )
    backup_fails: bool = _flag("/genbackup never completes, and refuses all others")
    backup_damaged: bool = _flag("/genbackup completes with a damaged file")
    disk_free_mb: int | None = _own("pretend that so much disk space is free, MB", kind=int)
    flood_seconds: float = _own("flood the console for this time once ready", 0.0, float)
    flood_rate: int = _own("lines a second of a flood", 20_000, int)
    long_line_kib: int = _own("print one line of this size once ready, KiB", 0, int)
    invalid_utf8: bool = _flag("print bytes that are not UTF-8 once ready")
    stack_traces: bool = _flag("print an exception with its stack trace, every second")
    overloads: bool = _flag("report an overloaded tick, every second")
    imitations: bool = _flag("players' chat imitates the server's own lines, every second")
    forgeries: bool = _flag(
        "players' chat has line feeds, and lines like the server's own behind them, every second"
    )
    time_separator: str = _own("between hours, minutes and seconds: a dot on a Finnish host", ":")
    unicode: bool = _flag("players with non-ASCII names and messages come and go, every second")
    memory_mib: float = _own("MiB that leak each second", 0.0, float)

    @property
    def framework(self) -> str:
        """The .NET version that this game version needs."""
        minor = [*self.version.split("."), "0"][1]
        return {"22": "10.0.0", "21": "8.0.0"}.get(minor, "7.0.0")


def parse(arguments: Sequence[str], environment: Mapping[str, str] = os.environ) -> Options:
    """Return the options of a command line and an environment. Invalid ones exit with code 2."""
    values = vars(_parser(environment).parse_args(arguments))
    values["server_folder"] = Path(values["server_folder"]).absolute()
    values["version"] = values["version"] or _installed_version(values["server_folder"])
    values["mod_paths"] = tuple(map(Path, values.pop("add_mod_path") or ()))
    for ignored in ("add_origin", "trace_log"):
        values.pop(ignored)
    return Options(**values)


class _NotRepeatable(argparse.Action):
    """An option with several values that may not be repeated, as in the game."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: object,
        option_string: str | None = None,
    ) -> None:
        if getattr(namespace, self.dest) is not None:
            parser.error(f"Option '{option_string}' is defined multiple times.")
        setattr(namespace, self.dest, values)


def _parser(environment: Mapping[str, str]) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="VintagestoryServer",
        description="A stand-in for the Vintage Story dedicated server.",
        epilog="While it runs, `/simulate help` lists the events and faults that it can simulate.",
        allow_abbrev=False,
    )
    _add_game_arguments(parser.add_argument_group("the game's own arguments"))
    own = parser.add_argument_group("the stand-in's, or SIMULATE_… in the environment")
    for option in fields(Options):
        if "meaning" in option.metadata:
            _add_own(own, option.name, option.metadata, option.default, environment)
    return parser


def _add_game_arguments(group: argparse._ArgumentGroup) -> None:
    default = Path.home() / ".config" / "VintagestoryData"
    group.add_argument("--dataPath", dest="data_path", type=Path, default=default)
    group.add_argument("--port", type=int)
    group.add_argument("--ip")
    group.add_argument("--maxclients", dest="max_clients", type=int)
    group.add_argument("--addModPath", dest="add_mod_path", nargs="+", action=_NotRepeatable)
    group.add_argument("--addOrigin", dest="add_origin", nargs="+", action=_NotRepeatable)
    group.add_argument("--tracelog", dest="trace_log", action="store_true")
    group.add_argument("--version", dest="show_version", action="store_true")


def _add_own(
    group: argparse._ArgumentGroup,
    name: str,
    metadata: Mapping[str, Any],
    default: object,
    environment: Mapping[str, str],
) -> None:
    kind: type = metadata["kind"]
    value = environment.get(ENVIRONMENT_PREFIX + name.upper())
    flag = "--game-version" if name == "version" else "--" + name.replace("_", "-")
    meaning = metadata["meaning"]
    if kind is bool:
        on = value is not None and value.lower() in TRUE
        group.add_argument(flag, dest=name, action="store_true", default=on, help=meaning)
        return
    suffix = "" if default is None else f" (default {default})"
    group.add_argument(
        flag,
        dest=name,
        type=kind,
        # argparse converts a default that is text, and names the flag when it can't.
        default=default if value is None else value,
        metavar=kind.__name__.upper(),
        help=meaning + suffix,
    )


def _installed_version(folder: Path) -> str:
    names = sorted(path.stem for path in (folder / "assets").glob(VERSION_FILE))
    return names[-1].removeprefix("version-") if names else DEFAULT_VERSION
