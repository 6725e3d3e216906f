"""What was fetched from the mod database, kept on disk with its age, bounded in number."""

import asyncio
import hashlib
from datetime import datetime
from pathlib import Path

from pydantic import BaseModel, ValidationError

from bedplate import clock
from bedplate.documents.atomic import write_atomically


class Cached(BaseModel):
    """An answer of the mod database, and when it came."""

    key: str
    fetched_at: datetime
    body: str

    @property
    def age(self) -> float:
        """Seconds since it came, never negative."""
        return max(0.0, (clock.now() - self.fetched_at).total_seconds())


class Cache:
    """Answers by key in files of one folder; beyond `max_entries` the longest unused are dropped.

    A key never becomes a path: its hash does. A damaged file is as good as none.
    """

    def __init__(self, folder: Path, *, max_entries: int = 500) -> None:
        self._folder = folder
        self._max_entries = max_entries

    async def get(self, key: str) -> Cached | None:
        """Return what is kept under a key."""
        return await asyncio.to_thread(self._read, key)

    async def put(self, key: str, body: str) -> Cached:
        """Keep an answer that came just now. A full disk is borne: then nothing is kept."""
        cached = Cached(key=key, fetched_at=clock.now(), body=body)
        await asyncio.to_thread(self._write, cached)
        return cached

    def _path(self, key: str) -> Path:
        return self._folder / f"{hashlib.sha256(key.encode()).hexdigest()}.json"

    def _read(self, key: str) -> Cached | None:
        try:
            cached = Cached.model_validate_json(self._path(key).read_bytes())
        except (OSError, ValidationError):
            return None
        return cached if cached.key == key else None

    def _write(self, cached: Cached) -> None:
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            write_atomically(self._path(cached.key), cached.model_dump_json().encode())
            kept = sorted(self._folder.glob("*.json"), key=lambda file: file.stat().st_mtime_ns)
            for file in kept[: max(0, len(kept) - self._max_entries)]:
                file.unlink(missing_ok=True)
        except OSError:
            return
