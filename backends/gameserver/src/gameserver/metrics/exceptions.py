"""The errors of the history."""

from bedplate.problems import UnprocessableContent


class PeriodRefused(UnprocessableContent):
    """A period that ends before it begins."""

    code = "period_refused"
    title = "Period Refused"

    def __init__(self) -> None:
        super().__init__("The period must begin before it ends.")
