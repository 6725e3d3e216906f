"""What a session is now: what those who poll get, and streams that begin."""

from dataclasses import dataclass
from uuid import UUID

import orjson

from bedplate.database import Database, Row
from bedplate.database.shared_reads import SharedReads
from live.activities import repository as activities
from live.activities.service import public
from live.exceptions import SessionNotFound
from live.following import repository
from live.results.service import version_of

_SHOWN = ("title", "description", "state", "participants", "max_participants", "version")


@dataclass(frozen=True, slots=True)
class State:
    """A session's state as JSON, and its ETag, which changes with all that the state shows."""

    etag: str
    body: bytes


class States:
    """Reads the states of sessions. A thousand phones that ask at once share what is read."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._etags = SharedReads(self._read_etag)
        self._states = SharedReads(self._read_state)

    async def etag(self, session_id: UUID) -> str:
        """Return the ETag of a session's state, by one statement. Raises `SessionNotFound`."""
        return await self._etags.get(session_id)

    async def state(self, session_id: UUID) -> State:
        """Return a session's state. Raises `SessionNotFound`."""
        return await self._states.get(session_id)

    async def _read_etag(self, session_id: UUID) -> str:
        return _etag_of(await self._read(session_id))

    async def _read_state(self, session_id: UUID) -> State:
        row = await self._read(session_id)
        activity = None
        if row["activity_id"] is not None:
            activity = await activities.get(self._database.read(), row["activity_id"])
        shown = {
            "session_id": str(session_id),
            **{name: row[name] for name in _SHOWN},
            "activity": public(activity) if activity else None,
            "results_version": _results_version(row),
            "stored": row["stored"],
        }
        return State(_etag_of(row), orjson.dumps(shown))

    async def _read(self, session_id: UUID) -> Row:
        row = await repository.now(self._database.read(), session_id)
        if row is None:
            raise SessionNotFound
        return row


def _etag_of(row: Row) -> str:
    versions = (row["version"], row["activity_version"] or 0, row["results_version"] or 0)
    return f'"{".".join(map(str, versions))}"'


def _results_version(row: Row) -> int | None:
    if row["results_version"] is None:
        return None
    return version_of(row["activity_version"], row["results_version"])
