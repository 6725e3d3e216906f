"""The sessions in which tasks change, and the events that an audit trail gets of changes.

Without a trail a change is one statement. With one it is a transaction: the change, and its events
in the outbox, from where they are sent afterwards.
"""

import re
from collections.abc import Sequence
from typing import Any, Final, Literal

from audits_client import Outbox
from bedplate.database import Database, WriteSession

UUID_PATTERN: Final = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


class Changes:
    """Gives sessions for changes, and stores their events where there is an outbox."""

    def __init__(self, database: Database, outbox: Outbox | None = None) -> None:
        self._database = database
        self._outbox = outbox

    @property
    def recorded(self) -> bool:
        """Whether changes have events, and so are more than one statement."""
        return self._outbox is not None

    def session(self) -> WriteSession:
        """Return the session for one change, which ends it as a context manager."""
        return self._database.write() if self.recorded else self._database.autocommit()

    async def record(
        self,
        session: WriteSession,
        action: Literal["create", "update", "delete"],
        owner: str,
        task_ids: Sequence[int],
        fields: Sequence[str] = (),
    ) -> None:
        """Store an event for each changed task: who changed which fields of it, not to what.

        Raises `AuditsUnavailable`, a 503, when they can't be stored: then nothing changes.
        """
        if self._outbox is None:
            return
        # The trail's users are UUIDs; who has another id is named in the details.
        is_uuid = UUID_PATTERN.fullmatch(owner) is not None
        details: dict[str, Any] = {"fields": sorted(fields)} if fields else {}
        if not is_uuid:
            details["user_id"] = owner
        events = [
            {
                "action_type": action,
                "entity_type": "task",
                "entity_ref": str(task_id),
                "user_id": owner if is_uuid else None,
                "details": details,
            }
            for task_id in task_ids
        ]
        await self._outbox.record_many(session, events)
