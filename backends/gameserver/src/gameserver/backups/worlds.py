"""The world, one SQLite file of the game: where it is, how it is copied and checked."""

import contextlib
import json
import os
import sqlite3
from pathlib import Path
from typing import Final

import json5

from gameserver.archives.unpacking import CHUNK, ProgressCallback
from gameserver.backups.exceptions import DamagedWorld
from gameserver.disk import READ_FLAGS
from gameserver.layout import Layout

SUFFIX: Final = ".vcdbs"
DEFAULT_WORLD: Final = f"default{SUFFIX}"
COMPANIONS: Final = ("-wal", "-shm", "-journal")
_TABLES: Final = frozenset({"chunk", "mapchunk", "mapregion", "gamedata", "playerdata"})
_MAX_CONFIG_BYTES: Final = 4 << 20
_MAX_NAME_LENGTH: Final = 200
_SQLITE_MAGIC: Final = b"SQLite format 3\0"
_MAX_PAGE_BYTES: Final = 65_536


def world_file(layout: Layout) -> Path:
    """Return the path of the game's world, existing or not: from its settings, or the default.

    Only the file's name is taken from the settings: after the data directory has moved, they
    still have the old absolute path. Blocking.
    """
    with contextlib.suppress(OSError, ValueError, RecursionError, LookupError, TypeError):
        if layout.server_config.stat().st_size <= _MAX_CONFIG_BYTES:
            location = save_location(layout.server_config.read_text("utf-8-sig"))
            name = str(location).replace("\\", "/").rsplit("/", 1)[-1]
            if is_world_name(name):
                return layout.saves / name
    return layout.saves / DEFAULT_WORLD


def save_location(config: str) -> object:
    """Return the world's path as settings give it. Raises ValueError, LookupError, TypeError.

    The game writes plain JSON. Edited settings are read as leniently as the game reads them, which
    takes a hundred times as long.
    """
    try:
        parsed = json.loads(config)
    except ValueError:
        parsed = json5.loads(config)
    location: object = parsed["WorldConfig"]["SaveFileLocation"]
    return location


def is_world_name(name: str) -> bool:
    """Return whether a text is the plain file name of a world."""
    return (
        name.endswith(SUFFIX)
        and name != SUFFIX
        and len(name.encode(errors="replace")) <= _MAX_NAME_LENGTH
        and "/" not in name
        and name.isprintable()
        and not name.startswith(".")
    )


def copy_stopped_world(world: Path, target: Path, on_progress: ProgressCallback) -> None:
    """Copy the world of a stopped game, including its write-ahead log.

    The log is copied and then merged into the copy, so the world itself stays unchanged. Blocking.
    Raises `DamagedWorld`, `OSError`.
    """
    for suffix in ("", "-wal"):
        _copy(
            world.with_name(world.name + suffix),
            target.with_name(target.name + suffix),
            on_progress,
        )
    try:
        with contextlib.closing(sqlite3.connect(target)) as database:
            database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            database.execute("PRAGMA journal_mode=DELETE")
    except sqlite3.Error:
        raise DamagedWorld from None


def _copy(source: Path, target: Path, on_progress: ProgressCallback) -> None:
    try:
        descriptor = os.open(source, READ_FLAGS)
    except FileNotFoundError:
        return
    with os.fdopen(descriptor, "rb") as content, target.open("xb") as file:
        while chunk := content.read(CHUNK):
            file.write(chunk)
            on_progress(len(chunk))


def looks_complete(path: Path) -> bool:
    """Return whether a file has as many pages as its header says: a quick check, not a proof.

    SQLite's file format, section 1.3: page size at 16 (1 means 65536), pages at 28.
    """
    with path.open("rb") as file:
        header = file.read(32)
    if len(header) < 32 or not header.startswith(_SQLITE_MAGIC):  # noqa: PLR2004 - as read above
        return False
    page = int.from_bytes(header[16:18], "big")
    page = _MAX_PAGE_BYTES if page == 1 else page
    return path.stat().st_size == page * int.from_bytes(header[28:32], "big")


def check_world(path: Path) -> None:
    """Raise `DamagedWorld` unless SQLite finds the file intact and it has the game's tables.

    The file must not be in use: SQLite reads it as immutable. Blocking; takes about as long as
    reading the file.
    """
    try:
        uri = f"{path.resolve().as_uri()}?mode=ro&immutable=1"
        with contextlib.closing(sqlite3.connect(uri, uri=True)) as database:
            result = database.execute("PRAGMA integrity_check(1)").fetchone()
            tables = database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
            sound = result == ("ok",) and {name for (name,) in tables} >= _TABLES
    except sqlite3.Error:
        sound = False
    if not sound:
        raise DamagedWorld


def remove_copy(world: Path) -> None:
    """Remove a copy of a world, and the files that SQLite left beside it. Blocking."""
    for suffix in ("", *COMPANIONS):
        world.with_name(world.name + suffix).unlink(missing_ok=True)


def size_of(world: Path) -> int:
    """Return the bytes of a world and its log; 0 if there is none. Blocking."""
    size = 0
    for suffix in ("", "-wal"):
        with contextlib.suppress(FileNotFoundError):
            size += world.with_name(world.name + suffix).stat().st_size
    return size
