"""What can go wrong with numbers."""

from bedplate.problems import BadRequest


class ReorderRefused(BadRequest):
    """The order asked for can't be: nothing has changed."""

    code = "reorder_refused"
