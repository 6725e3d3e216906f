"""What can go wrong with characters, actions and spoken words."""

from bedplate.problems import NotFound


class OriginalNotFound(NotFound):
    """There is no such character, action or spoken word."""

    code = "original_not_found"
