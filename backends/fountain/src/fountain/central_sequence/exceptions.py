from bedplate.problems import BadRequest


class ReorderRefused(BadRequest):
    """The requested order is impossible; nothing has changed."""

    code = "reorder_refused"
