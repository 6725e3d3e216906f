"""Who did what: a line of JSON each, in files that rotate."""

import asyncio
import itertools
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import structlog
from pydantic import ValidationError

from bedplate import clock
from gameserver.audit.schemas import AuditEntry

NEWEST: Final = "audit.jsonl"
MAX_FILE_BYTES: Final = 4 * 1024 * 1024
KEPT_FILES: Final = 5
MAX_DETAIL_LENGTH: Final = 2_000


class Audit:
    """Writes down who did what, and reads it again.

    `audit.jsonl` is the newest file; at 4 MiB it becomes `audit.1.jsonl`, and so on up to five.
    A line that a crash has torn is passed over when it is read.
    """

    def __init__(self, folder: Path, *, largest_file: int = MAX_FILE_BYTES) -> None:
        self._folder = folder
        self._largest = largest_file
        self._writing = threading.Lock()

    async def record(self, by: str, action: str, **details: str) -> None:
        """Write an entry down. A full disk is logged, and keeps nobody from acting."""
        shortened = {name: value[:MAX_DETAIL_LENGTH] for name, value in details.items()}
        entry = AuditEntry(at=clock.now(), by=by, action=action, details=shortened)
        try:
            await asyncio.to_thread(self._append, f"{entry.model_dump_json()}\n".encode())
        except OSError as error:
            structlog.get_logger().error("audit_not_written", action=action, exc_info=error)

    async def newest(self, limit: int) -> list[AuditEntry]:
        """Return the last `limit` entries, the newest first."""
        return await asyncio.to_thread(lambda: list(itertools.islice(self._backwards(), limit)))

    def _append(self, line: bytes) -> None:
        path = self._folder / NEWEST
        with self._writing:
            if path.exists() and path.stat().st_size + len(line) > self._largest:
                self._rotate()
            descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
            with os.fdopen(descriptor, "wb", buffering=0) as file:
                file.write(line)

    def _rotate(self) -> None:
        paths = self._paths()
        for newer, older in reversed(list(itertools.pairwise(paths))):
            if newer.exists():
                newer.replace(older)

    def _paths(self) -> list[Path]:
        older = (self._folder / f"audit.{number}.jsonl" for number in range(1, KEPT_FILES))
        return [self._folder / NEWEST, *older]

    def _backwards(self) -> Iterator[AuditEntry]:
        for path in self._paths():
            try:
                lines = path.read_bytes().splitlines()
            except FileNotFoundError:
                continue
            for line in reversed(lines):
                try:
                    yield AuditEntry.model_validate_json(line)
                except ValidationError:
                    continue
