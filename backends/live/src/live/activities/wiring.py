"""Who comes in by an activity's own path."""

from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

from fastapi import Depends
from fastapi.requests import HTTPConnection

from bedplate.database import Database, Row
from live.activities import repository
from live.activities.exceptions import ActivityNotFound
from live.sessions.wiring import ByToken, Entry, enter


@dataclass(frozen=True, slots=True)
class ActivityEntry:
    """An activity, and who wants something of it."""

    activity: Row
    entry: Entry


class ActivityEntrance(ByToken):
    """Finds the activity of the path, and who the token is in its session."""

    async def __call__(self, connection: HTTPConnection, activity_id: UUID) -> ActivityEntry:
        """Return both. Raises `ActivityNotFound`, and as `Entrance`."""
        database: Database = connection.scope["state"]["database"]
        activity = await repository.get(database.read(), activity_id)
        if activity is None:
            raise ActivityNotFound
        return ActivityEntry(activity, await enter(connection, activity["session_id"]))


CurrentActivity = Annotated[ActivityEntry, Depends(ActivityEntrance())]
"""The activity of the path, and anybody in its session."""
