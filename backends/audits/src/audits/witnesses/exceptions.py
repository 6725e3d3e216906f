from bedplate.problems import BadRequest, Conflict, Forbidden, NotFound, UnprocessableContent


class MalformedSubmission(BadRequest):
    """The body isn't one of `add-checkpoint`."""

    code = "malformed_submission"


class UnknownLog(NotFound):
    """The witness doesn't know a log of this origin."""

    code = "unknown_log"
    detail = "This witness doesn't know the log."


class CheckpointNotSigned(Forbidden):
    """The checkpoint has no valid signature of a key that the witness trusts for the log."""

    code = "checkpoint_not_signed"
    detail = "The checkpoint isn't signed by a key that this witness trusts."


class OtherOldSize(Conflict):
    """The witness has cosigned another size last; the body of its answer is that size."""

    code = "other_old_size"

    def __init__(self, size: int) -> None:
        super().__init__(f"The latest cosigned checkpoint has {size} entries.")
        self.size = size


class InconsistentCheckpoint(UnprocessableContent):
    """The checkpoint doesn't continue the latest one: the log was changed, or is two logs."""

    code = "inconsistent_checkpoint"
