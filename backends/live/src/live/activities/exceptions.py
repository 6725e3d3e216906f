from bedplate.problems import Conflict, NotFound


class ActivityNotFound(NotFound):
    """There is no such activity."""

    code = "activity_not_found"
    detail = "There is no such activity."


class AnotherActivityOpen(Conflict):
    """One activity of a session is open at a time."""

    code = "another_activity_open"
    detail = "Another activity of this session is open: close it first."


class ActivityFrozen(Conflict):
    """What answers were given to can't be changed."""

    code = "activity_frozen"
    detail = "There are answers to this activity, so this can't change: add another activity."


class OrderIncomplete(Conflict):
    """The new order doesn't have each of the session's activities once."""

    code = "order_incomplete"
    detail = "The order should have each activity of the session once."
