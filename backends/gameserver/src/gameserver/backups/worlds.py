"""The world, one SQLite file of the game: how it is copied and checked."""

import contextlib
import os
import sqlite3
from pathlib import Path
from typing import Final

from gameserver.archives.unpacking import CHUNK, ProgressCallback
from gameserver.backups.exceptions import DamagedWorld
from gameserver.disk import READ_FLAGS

COMPANIONS: Final = ("-wal", "-shm", "-journal")
_TABLES: Final = frozenset({"chunk", "mapchunk", "mapregion", "gamedata", "playerdata"})
SQLITE_MAGIC: Final = b"SQLite format 3\0"
_MAX_PAGE_BYTES: Final = 65_536


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
    if len(header) < 32 or not header.startswith(SQLITE_MAGIC):  # noqa: PLR2004 - as read above
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
