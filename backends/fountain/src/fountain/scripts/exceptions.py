from bedplate.problems import BadRequest, NotFound


class ScriptNotFound(NotFound):
    """There is no such script."""

    code = "script_not_found"
    detail = "No such script."


class HeadingNotFound(NotFound):
    """The script has no such heading."""

    code = "heading_not_found"
    detail = "The script has no such heading."


class ElementNotFound(NotFound):
    """The script has no such element."""

    code = "element_not_found"
    detail = "The script has no such element."


class PositionRefused(BadRequest):
    """An element can't be placed there."""

    code = "position_refused"


class ReorderRefused(BadRequest):
    """The requested order is impossible; nothing has changed."""

    code = "reorder_refused"
