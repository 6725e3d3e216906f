"""What becomes of a call that another backend doesn't answer as it should."""

from bedplate.problems import ServiceUnavailable


class UpstreamUnavailable(ServiceUnavailable):
    """Another backend is away, too slow, overloaded, or answers what can't be used.

    Whether it did what it was asked for is unknown.
    """

    code = "upstream_unavailable"


class UpstreamRefused(UpstreamUnavailable):
    """Another backend refused the call with a 4xx: it did nothing.

    Catch it where a refusal means something, else it is a 503 as its base is. `answered` is the
    status, `reason` the sentence of the answer.
    """

    code = "upstream_refused"

    def __init__(self, name: str, answered: int, reason: str | None) -> None:
        super().__init__(f"{name} doesn't take a call of this service.")
        self.answered = answered
        self.reason = reason
