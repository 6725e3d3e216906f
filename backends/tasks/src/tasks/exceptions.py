from bedplate.problems import NotFound


class TaskNotFound(NotFound):
    """There is no such task, or it is somebody else's: a client can't tell which."""

    code = "task_not_found"
    detail = "There is no such task."
