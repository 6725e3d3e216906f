"""The audit log: who did what, one line of JSON each, in files that rotate."""

import asyncio
import itertools
import os
import threading
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Final

import structlog
from pydantic import ValidationError

from bedplate import clock
from bedplate.pagination import Page, page_of
from gameserver.audit.schemas import AuditEntry

NEWEST: Final = "audit.jsonl"
MAX_FILE_BYTES: Final = 4 * 1024 * 1024
KEPT_FILES: Final = 5
MAX_DETAIL_LENGTH: Final = 2_000


class Audit:
    """Records who did what.

    `audit.jsonl` is the newest file; at 4 MiB it becomes `audit.1.jsonl`, and so on up to five
    files. A line that a crash has torn is skipped when it is read.
    """

    def __init__(self, folder: Path, *, max_file_bytes: int = MAX_FILE_BYTES) -> None:
        self._folder = folder
        self._max_file_bytes = max_file_bytes
        self._writing = threading.Lock()

    async def record(self, by: str, action: str, **details: str) -> None:
        """Append an entry. A full disk is logged, and keeps nobody from acting."""
        shortened = {name: value[:MAX_DETAIL_LENGTH] for name, value in details.items()}
        entry = AuditEntry(at=clock.now(), by=by, action=action, details=shortened)
        try:
            await asyncio.to_thread(self._append, f"{entry.model_dump_json()}\n".encode())
        except OSError as error:
            structlog.get_logger().error("audit_not_written", action=action, exc_info=error)

    async def page(self, *, after: str | None = None, limit: int) -> Page[AuditEntry]:
        """Return at most `limit` entries, the newest first, after the one with the key `after`."""
        keyed = await asyncio.to_thread(
            page_of, self._keyed(), key=lambda pair: pair[0], after=after, limit=limit
        )
        return Page([entry for _, entry in keyed.items], keyed.next_key)

    def _keyed(self) -> Iterator[tuple[str, AuditEntry]]:
        """Yield each entry with its key: its time, and its place among those of that time."""
        time: datetime | None = None
        place = 0
        for entry in self._backwards():
            place = place + 1 if entry.at == time else 0
            time = entry.at
            yield f"{time.isoformat()} {place}", entry

    def _append(self, line: bytes) -> None:
        path = self._folder / NEWEST
        with self._writing:
            if path.exists() and path.stat().st_size + len(line) > self._max_file_bytes:
                self._rotate()
            descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
            with os.fdopen(descriptor, "ab") as file:
                if file.tell() and os.pread(descriptor, 1, file.tell() - 1) != b"\n":
                    line = b"\n" + line  # the last one is torn
                file.write(line)

    def _rotate(self) -> None:
        for newer, older in reversed(list(itertools.pairwise(self._paths()))):
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
