"""Who comes in by an activity's own path."""

from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

from fastapi import Depends
from fastapi.openapi.models import HTTPBearer
from fastapi.requests import HTTPConnection
from fastapi.security.base import SecurityBase

from bedplate.database import Database, Row
from live.activities import repository
from live.activities.exceptions import ActivityNotFound
from live.sessions.wiring import Entry, enter


@dataclass(frozen=True, slots=True)
class ActivityEntry:
    """An activity, and who wants something of it."""

    activity: Row
    entry: Entry


class ActivityEntrance(SecurityBase):
    """Finds the activity of the path, and who the token is in its session."""

    def __init__(self) -> None:
        self.model = HTTPBearer(description="A token of a host, a link or a participant")
        self.scheme_name = "token"

    async def __call__(self, connection: HTTPConnection, activity_id: UUID) -> ActivityEntry:
        """Return both. Raises `ActivityNotFound`, and as `Entrance`."""
        database: Database = connection.scope["state"]["database"]
        activity = await repository.get(database.read(), activity_id)
        if activity is None:
            raise ActivityNotFound
        return ActivityEntry(activity, await enter(connection, activity["session_id"]))


CurrentActivity = Annotated[ActivityEntry, Depends(ActivityEntrance())]
"""The activity of the path, and anybody in its session."""
