"""Exports: records as lines, in constant memory, with what proves them and an exact end."""

from collections.abc import AsyncIterator, Callable
from hashlib import sha256
from typing import Any, Final, Literal

from audits.log.paths import Paths
from audits.records import ocsf, service
from audits.records.items import EXPORT_FORMAT, to_item, to_json, to_line
from audits.records.repository import Filter
from bedplate.csv_lines import csv_line, harmless
from bedplate.database import ReadSession, Row

Format = Literal["ndjson", "csv", "ocsf"]
MEDIA_TYPES: Final[dict[str, str]] = {
    "ndjson": "application/x-ndjson",
    "csv": "text/csv; charset=utf-8",
    "ocsf": "application/x-ndjson",
}
_COLUMNS: Final = (
    "sequence", "id", "tenant", "version", "created_at", "updated_at", "occurred_at", "action_type",
    "action", "entity_type", "entity_id", "entity_ref", "user_id", "actor", "targets", "status",
    "ip_address", "user_agent", "correlation_id", "details", "leaf_hash",
)  # fmt: skip


class Export:
    """One export of the records of a chain's first `size` events, whose checkpoint is `note`."""

    def __init__(
        self, session: ReadSession, tenant: str, chosen: Filter, *, size: int, note: str
    ) -> None:
        self._session = session
        self._tenant = tenant
        self._chosen = chosen
        self._size = size
        self._note = note
        self._count = 0
        self._last: int | None = None
        self._digest = sha256()

    async def lines(self, kind: Format) -> AsyncIterator[bytes]:
        """Yield the export, some lines at a time; the last line is the trailer.

        The trailer has the number of records, the last sequence number, and the SHA-256 of all
        bytes before it: an export without it was cut short.
        """
        yield self._counted(self._header(kind))
        paths = Paths(self._session, self._tenant, self._size)
        async for events in service.walk(self._session, self._tenant, self._chosen, self._size):
            if kind == "ndjson":
                lines = [to_line(event, await paths.path(event["seq"])) for event in events]
            else:
                write: Callable[[Row], bytes] = _csv_line if kind == "csv" else _ocsf_line
                lines = [write(event) for event in events]
            self._count += len(events)
            self._last = max(self._last or 0, *(event["seq"] for event in events))
            yield self._counted(b"".join(lines))
        yield self._trailer(kind)

    def _header(self, kind: Format) -> bytes:
        if kind == "csv":
            return csv_line(_COLUMNS)
        filters = self._chosen.values()
        header = {"format": EXPORT_FORMAT, "tenant": self._tenant, "filters": filters}
        if kind == "ndjson":
            header["checkpoint"] = self._note
        return to_json({"export": header}) + b"\n"

    def _counted(self, chunk: bytes) -> bytes:
        self._digest.update(chunk)
        return chunk

    def _trailer(self, kind: Format) -> bytes:
        trailer = {
            "count": self._count,
            "last_sequence": self._last,
            "digest": f"sha256:{self._digest.hexdigest()}",
        }
        if kind == "csv":
            return csv_line(["# trailer", *(f"{name}={value}" for name, value in trailer.items())])
        return to_json({"trailer": trailer}) + b"\n"


def _csv_line(event: Row) -> bytes:
    item = to_item(event)
    return csv_line([_cell(item[name]) for name in _COLUMNS])


def _ocsf_line(event: Row) -> bytes:
    return to_json(ocsf.to_ocsf(event)) + b"\n"


def _cell(value: Any) -> str:
    """Return the text of a cell, which no spreadsheet takes for a formula."""
    if value is None:
        return ""
    return harmless(value if isinstance(value, str) else to_json(value).decode().strip('"'))
