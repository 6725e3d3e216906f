"""What routes ask for."""

from typing import Annotated

from fastapi import Depends, Request

from bedplate.jobs.timetable import Timetable
from gameserver.schedules.schemas import Action


def current_schedules(request: Request) -> Timetable[Action]:
    """Return the timetable of this process."""
    timetable: Timetable[Action] = request.state.schedules
    return timetable


CurrentSchedules = Annotated[Timetable[Action], Depends(current_schedules)]
