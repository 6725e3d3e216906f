from bedplate.problems import ServiceUnavailable


class UpstreamUnavailable(ServiceUnavailable):
    """Another service is down, too slow, overloaded, or sent an unusable response.

    Whether it carried out the request is unknown.
    """

    code = "upstream_unavailable"


class UpstreamRefused(UpstreamUnavailable):
    """Another service refused the call with a 4xx: it did nothing.

    Catch it where a refusal has a meaning; otherwise it is a 503 like its base class. `answered` is
    the status, `reason` the text of the response.
    """

    code = "upstream_refused"

    def __init__(self, name: str, answered: int, reason: str | None) -> None:
        super().__init__(f"{name} refuses a call of this service.")
        self.answered = answered
        self.reason = reason
