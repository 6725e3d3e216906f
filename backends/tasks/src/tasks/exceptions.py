"""The domain's errors."""

from bedplate.problems import NotFound


class TaskNotFound(NotFound):
    """There is no such task, or it is somebody else's: a client can't tell which."""

    code = "task_not_found"
    title = "Task Not Found"

    def __init__(self) -> None:
        super().__init__("There is no such task.")
