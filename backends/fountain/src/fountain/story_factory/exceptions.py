from bedplate.problems import NotFound


class ScriptNotFound(NotFound):
    """There is no such script."""

    code = "script_not_found"
    detail = "Script not found."


class SequencesNotFound(NotFound):
    """There is no such script, or nothing in the range."""

    code = "sequences_not_found"
    detail = "Script or sequences not found."
