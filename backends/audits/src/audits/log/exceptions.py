from bedplate.problems import Conflict, NotFound


class NotInTheLog(NotFound):
    """The log has no such tile, or it was pruned."""

    code = "not_in_the_log"
    detail = "The log has no such tile or bundle (any more)."


class NoCheckpoint(NotFound):
    """A tenant has no checkpoint: nothing was recorded, or just now."""

    code = "no_checkpoint"
    detail = "This log has no checkpoint yet."


class NotInACheckpoint(Conflict):
    """A record came after the latest checkpoint; the next one comes within a second."""

    code = "not_in_a_checkpoint"
    detail = "The record is not yet in a checkpoint: try again in a second."


class NoRotation(NotFound):
    """The log's key was not changed, or not lately."""

    code = "no_rotation"
    detail = "This log has no key before the current one."
