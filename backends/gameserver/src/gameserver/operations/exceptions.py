"""The errors of operations."""

from bedplate.problems import Conflict, NotFound, ServiceUnavailable


class OperationNotFound(NotFound):
    """There is no such operation, or it is so old that it was forgotten."""

    code = "operation_not_found"
    detail = "There is no such operation."


class OperationInProgress(Conflict):
    """Another operation runs that this one must not run beside."""

    code = "operation_in_progress"

    def __init__(self, kind: str, operation_id: str) -> None:
        super().__init__(f"A {kind} is under way; wait for its end.", operation_id=operation_id)


class OperationInterrupted(ServiceUnavailable):
    """The manager went away while the operation ran."""

    code = "interrupted"
    detail = "The manager stopped while this was under way; start it again."
