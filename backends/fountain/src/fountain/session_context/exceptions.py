from bedplate.problems import NotFound


class SessionNotFound(NotFound):
    """There is no such session."""

    code = "session_not_found"
    detail = "No such session."
