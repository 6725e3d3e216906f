"""The errors of scheduled work."""

from bedplate.problems import Conflict


class ScheduledWorkFailed(Conflict):
    """What a schedule began came to no good end."""

    code = "scheduled_work_failed"
