"""Errors of schedules, and what an action raises when it has nothing to do."""

from bedplate.problems import Conflict, NotFound


class ScheduleNotFound(NotFound):
    """There is no such schedule."""

    code = "schedule_not_found"
    detail = "There is no such schedule."


class ScheduleBusy(Conflict):
    """A run of this schedule is under way."""

    code = "schedule_busy"
    detail = "It is running: wait for its end, or cancel the run."


class ScheduleIdle(Conflict):
    """No run of this schedule is under way."""

    code = "schedule_idle"
    detail = "No run is under way."


class TooManySchedules(Conflict):
    """There are as many schedules as allowed."""

    code = "too_many_schedules"


class RunSkipped(Exception):
    """An action has nothing to do now; its text is one sentence that says why."""
