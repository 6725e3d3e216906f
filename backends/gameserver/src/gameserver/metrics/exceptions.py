from bedplate.problems import UnprocessableContent


class PeriodRefused(UnprocessableContent):
    """The period ends before it begins."""

    code = "period_refused"
    detail = "The period must begin before it ends."
