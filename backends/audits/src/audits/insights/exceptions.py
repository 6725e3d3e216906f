from bedplate.problems import (
    BadGateway,
    GatewayTimeout,
    ServiceUnavailable,
    TooManyRequests,
    UnprocessableContent,
)


class NoModel(ServiceUnavailable):
    """No language model is set up."""

    code = "no_language_model"
    detail = "No language model is set up here: OPENAI_API_KEY is missing."


class ModelMisconfigured(ServiceUnavailable):
    """The provider refuses our key, our model or our request: nothing that a client could mend."""

    code = "language_model_misconfigured"
    detail = "The language model refuses this server's key or settings; its log has the reason."


class ModelUnavailable(ServiceUnavailable):
    """The provider can't be reached, or fails."""

    code = "language_model_unavailable"
    detail = "The language model can't be reached just now; try again."


class ModelBusy(TooManyRequests):
    """The provider has no capacity left for this server's key."""

    code = "language_model_busy"
    detail = "The language model takes no more requests just now; try again later."


class ModelTimeout(GatewayTimeout):
    """The answer took longer than its limit, retries included."""

    code = "language_model_timeout"
    detail = "The language model took too long to answer."


class ModelAnswerBroken(BadGateway):
    """The provider's answer can't be read, or isn't what was asked for."""

    code = "language_model_answer_broken"
    detail = "The language model's answer can't be read."


class ModelAnswerTruncated(BadGateway):
    """The answer reached its maximum length before its end."""

    code = "language_model_answer_truncated"
    detail = "The language model's answer was cut off at its maximum length."


class ModelRefused(UnprocessableContent):
    """The model refuses to answer."""

    code = "language_model_refused"
    detail = "The language model refuses to answer this."
