from bedplate.problems import Conflict, NotFound, ServiceUnavailable


class OperationNotFound(NotFound):
    """There is no such operation, or it is so old that it was deleted."""

    code = "operation_not_found"
    detail = "There is no such operation."


class OperationInProgress(Conflict):
    """Another operation is in progress that this one must not run beside."""

    code = "operation_in_progress"

    def __init__(self, kind: str, operation_id: str) -> None:
        super().__init__(f"A {kind} is in progress; wait for it.", operation_id=operation_id)


class OperationInterrupted(ServiceUnavailable):
    """The manager stopped while the operation was in progress."""

    code = "operation_interrupted"
    detail = "The manager stopped while this was in progress; start it again."
