"""The errors of the history."""

from bedplate.problems import UnprocessableContent


class PeriodRefused(UnprocessableContent):
    """A period that ends before it begins."""

    code = "period_refused"
    detail = "The period must begin before it ends."
