"""What a timetable refuses, and what an action says when it has nothing to do."""

from bedplate.problems import Conflict, NotFound


class ScheduleNotFound(NotFound):
    """There is no such schedule."""

    code = "schedule_not_found"
    title = "Schedule Not Found"

    def __init__(self) -> None:
        super().__init__("There is no such schedule.")


class ScheduleBusy(Conflict):
    """A run of this schedule is under way."""

    code = "schedule_busy"
    title = "Schedule Busy"

    def __init__(self) -> None:
        super().__init__("It is running: wait for its end, or cancel the run.")


class ScheduleIdle(Conflict):
    """No run of this schedule is under way."""

    code = "schedule_idle"
    title = "Schedule Idle"

    def __init__(self) -> None:
        super().__init__("No run is under way.")


class TooManySchedules(Conflict):
    """The timetable is full."""

    code = "too_many_schedules"
    title = "Too Many Schedules"

    def __init__(self, most: int) -> None:
        super().__init__(f"There can't be more than {most} schedules: remove one first.")


class RunSkipped(Exception):
    """An action has nothing to do now; its text is one sentence that says why."""
