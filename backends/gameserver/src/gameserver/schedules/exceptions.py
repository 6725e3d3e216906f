from bedplate.problems import Conflict


class ScheduledWorkFailed(Conflict):
    """What a schedule began has failed."""

    code = "scheduled_work_failed"
