"""What can go wrong with sessions."""

from bedplate.problems import NotFound


class SessionNotFound(NotFound):
    """There is no such session."""

    code = "session_not_found"
    title = "No such session."
