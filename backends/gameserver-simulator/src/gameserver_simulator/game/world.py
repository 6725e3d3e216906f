"""The world's save: a real SQLite database in WAL mode, with the tables of the real game."""

import json
import os
import sqlite3
import threading
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

KIB = 1024
CHUNK_BYTES = 16 * KIB
MARK = 0
"""Position of the row with the number of the save that last wrote the table."""

TABLES = """
CREATE TABLE IF NOT EXISTS chunk (position INTEGER PRIMARY KEY, data BLOB);
CREATE TABLE IF NOT EXISTS mapchunk (position INTEGER PRIMARY KEY, data BLOB);
CREATE TABLE IF NOT EXISTS mapregion (position INTEGER PRIMARY KEY, data BLOB);
CREATE TABLE IF NOT EXISTS gamedata (savegameid INTEGER PRIMARY KEY, data BLOB);
CREATE TABLE IF NOT EXISTS playerdata (
    playerid INTEGER PRIMARY KEY AUTOINCREMENT, playeruid TEXT, data BLOB
);
CREATE INDEX IF NOT EXISTS index_playeruid ON playerdata (playeruid);
"""
MAPS = ("chunk", "mapchunk", "mapregion")


@dataclass
class Savegame:
    """The metadata of a save."""

    created_version: str
    version: str
    identifier: str
    saves: int = 0
    hours: float = 8.0
    entity_spawning: bool = True


class World:
    """An open world. Each method is one transaction; several threads may call."""

    def __init__(self, path: Path, version: str, size_kib: int) -> None:
        """Open the world at `path`, created with `size_kib` KiB when it is missing.

        Raises `sqlite3.DatabaseError` when the file is damaged.
        """
        self.path = path
        self.is_new = not path.exists()
        self._lock = threading.Lock()
        path.parent.mkdir(parents=True, exist_ok=True)
        self._connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._prepare()
        self.savegame = self._load(version)
        if self.is_new:
            self._generate(size_kib)

    def _prepare(self) -> None:
        self._connection.execute("PRAGMA page_size = 4096")
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = NORMAL")
        self._connection.executescript(TABLES)

    def _load(self, version: str) -> Savegame:
        row = self._connection.execute("SELECT data FROM gamedata").fetchone()
        if row is None:
            return Savegame(version, version, os.urandom(16).hex())
        return Savegame(**{**json.loads(row[0]), "version": version})

    def _generate(self, size_kib: int) -> None:
        for table in MAPS:
            self.save_map(table, 1)
        self._fill(size_kib)
        self.save_savegame()

    def _fill(self, size_kib: int) -> None:
        missing = size_kib * KIB
        while missing > 0:
            missing -= self.save_map("chunk", min(1024, missing // CHUNK_BYTES + 1))

    def begin_save(self) -> None:
        """Start the next save: rows written from here on have its number."""
        self.savegame.saves += 1

    def save_map(self, table: str, count: int) -> int:
        """Add `count` rows to a table of the map in one transaction; return their bytes."""
        rows = [(os.urandom(CHUNK_BYTES),) for _ in range(count)]
        mark = str(self.savegame.saves).encode()
        with self._lock, self._connection:
            self._connection.execute("BEGIN")
            self._connection.execute(f"INSERT OR REPLACE INTO {table} VALUES (?, ?)", (MARK, mark))  # noqa: S608 - one of MAPS
            self._connection.executemany(f"INSERT INTO {table} (data) VALUES (?)", rows)  # noqa: S608 - one of MAPS
        return count * CHUNK_BYTES

    def save_players(self, uids: Iterable[str]) -> None:
        """Write the players' inventories and places in one transaction."""
        with self._lock, self._connection:
            self._connection.execute("BEGIN")
            for uid in uids:
                self._connection.execute("DELETE FROM playerdata WHERE playeruid = ?", (uid,))
                row = (uid, os.urandom(KIB))
                self._connection.execute(
                    "INSERT INTO playerdata (playeruid, data) VALUES (?, ?)", row
                )

    def save_savegame(self) -> None:
        """Write the metadata: the last transaction of each save."""
        data = json.dumps(asdict(self.savegame)).encode()
        with self._lock, self._connection:
            self._connection.execute("BEGIN")
            self._connection.execute("INSERT OR REPLACE INTO gamedata VALUES (1, ?)", (data,))

    def prune(self) -> int:
        """Delete half of the chunks; return how many."""
        with self._lock, self._connection:
            self._connection.execute("BEGIN")
            deleted = self._connection.execute(
                "DELETE FROM chunk WHERE position > ? AND position % 2 = 0", (MARK,)
            )
            return deleted.rowcount

    def count(self) -> int:
        """Return the number of chunks."""
        with self._lock:
            row: tuple[int] = self._connection.execute("SELECT count(*) FROM chunk").fetchone()
        return row[0]

    def vacuum(self) -> None:
        """Rewrite the file without its holes; needs as much temporary space again."""
        with self._lock:
            self._connection.execute("VACUUM")

    def close(self) -> None:
        """Close the world; the write-ahead log is merged and removed."""
        with self._lock:
            self._connection.close()


def marks(path: Path) -> dict[str, int]:
    """Return the number of the save that last wrote each table of a world that isn't open.

    They are equal in a world that was copied at a consistent point: a save writes each table in
    a transaction of its own, and its last one writes `gamedata`.
    """
    connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    try:
        numbers = {
            table: int(
                connection.execute(
                    f"SELECT data FROM {table} WHERE position = {MARK}"  # noqa: S608 - one of MAPS
                ).fetchone()[0]
            )
            for table in MAPS
        }
        savegame = json.loads(connection.execute("SELECT data FROM gamedata").fetchone()[0])
    finally:
        connection.close()
    return {**numbers, "gamedata": savegame["saves"]}
