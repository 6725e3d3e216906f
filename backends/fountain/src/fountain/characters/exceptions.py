from bedplate.problems import BadRequest, NotFound


class OriginalNotFound(NotFound):
    """There is no such character, action or spoken word."""

    code = "original_not_found"


class ParaphraseNotFound(NotFound):
    """The original has no such paraphrase."""

    code = "paraphrase_not_found"
    detail = "The original has no such paraphrase."


class OriginalsDiffer(BadRequest):
    """The path names one original and the body another."""

    code = "originals_differ"
    detail = "The path and originalId don't name the same original."
