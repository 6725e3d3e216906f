from bedplate.problems import NotFound, TooManyRequests


class VerificationNotFound(NotFound):
    """There is no such verification in this process, or it was one of the older ones."""

    code = "verification_not_found"
    detail = "There is no such verification (any more)."


class TooManyVerifications(TooManyRequests):
    """Two logs are being verified already."""

    code = "too_many_verifications"
    detail = "Two verifications are under way already; try again when one has ended."
