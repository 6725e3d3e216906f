"""The errors a client may see, each with its status and stable code.

    ProblemError
    ├── StatusError               any
    ├── BadRequest                400
    │   └── InvalidInput          400 or 422, as the policy says
    ├── Unauthorized              401
    ├── Forbidden                 403
    ├── NotFound                  404
    ├── MethodNotAllowed          405
    ├── Conflict                  409
    ├── PreconditionFailed        412
    ├── ContentTooLarge           413
    ├── UnprocessableContent      422
    ├── TooManyRequests           429
    ├── InternalServerError       500
    ├── BadGateway                502
    ├── ServiceUnavailable        503
    └── GatewayTimeout            504

A domain derives its own errors from these, and its services raise them: the status is all they
know of HTTP.
"""

from collections.abc import Mapping, Sequence
from http import HTTPStatus

from typing_extensions import TypedDict


class FieldError(TypedDict):
    """What is wrong with one field; the refused value is never part of it."""

    field: str
    message: str
    code: str


class ProblemError(Exception):
    """An error that a client may see as an RFC 9457 problem document.

    A subclass sets `code`, and `detail` where every error of its kind has the same sentence;
    `title` is the code in words unless it is set. `detail` is one sentence for a person and must
    not repeat the refused value. `headers` go out with the response. `members` are extension
    members of the document (RFC 9457, section 3.2).
    """

    status: int = 500
    code: str = "internal_server_error"
    title: str = "Internal Server Error"
    detail: str | None = None

    def __init_subclass__(cls, **keywords: object) -> None:
        super().__init_subclass__(**keywords)
        if "code" in cls.__dict__ and "title" not in cls.__dict__:
            cls.title = cls.code.replace("_", " ").title()

    def __init__(
        self,
        detail: str | None = None,
        *,
        headers: Mapping[str, str] | None = None,
        **members: object,
    ) -> None:
        if detail is not None:
            self.detail = detail
        super().__init__(self.detail or self.title)
        self.headers = dict(headers or {})
        self.members = members


# Before Python 3.13 the standard library has the names of the RFCs before 9110.
_PHRASES = {
    413: "Content Too Large",
    414: "URI Too Long",
    416: "Range Not Satisfiable",
    422: "Unprocessable Content",
}


def phrase_of(status: int) -> str:
    """Return the reason phrase of a status (RFC 9110), or its class in words."""
    try:
        return _PHRASES.get(status) or HTTPStatus(status).phrase
    except ValueError:
        return "Client Error" if status < HTTPStatus.INTERNAL_SERVER_ERROR else "Server Error"


class StatusError(ProblemError):
    """An error with nothing but its status, for an `HTTPException`."""

    def __init__(
        self,
        status: int,
        detail: str | None = None,
        *,
        headers: Mapping[str, str] | None = None,
        **members: object,
    ) -> None:
        self.status = status
        self.title = phrase_of(status)
        self.code = "_".join(self.title.replace("'", "").replace("-", " ").lower().split())
        super().__init__(detail, headers=headers, **members)


class BadRequest(ProblemError):
    """The request is malformed."""

    status = 400
    code = "bad_request"


class InvalidInput(BadRequest):
    """Invalid input; `errors` names each field. The policy decides on 400 or 422."""

    code = "invalid_input"

    def __init__(self, errors: Sequence[FieldError], *, in_path: bool = False) -> None:
        super().__init__("The request has fields that can't be accepted.", errors=errors)
        self.in_path = in_path


class Unauthorized(ProblemError):
    """The credentials are missing or invalid."""

    status = 401
    code = "unauthorized"


class Forbidden(ProblemError):
    """The principal isn't allowed to do this."""

    status = 403
    code = "forbidden"


class NotFound(ProblemError):
    """The resource doesn't exist, or this client may not know that it does."""

    status = 404
    code = "not_found"


class MethodNotAllowed(ProblemError):
    """The resource doesn't support this method; the `Allow` header lists those it does."""

    status = 405
    code = "method_not_allowed"


class Conflict(ProblemError):
    """The request conflicts with the current state."""

    status = 409
    code = "conflict"


class PreconditionFailed(ProblemError):
    """The resource changed since the client read it (RFC 9110, section 15.5.13)."""

    status = 412
    code = "precondition_failed"
    detail = "It changed since you read it: read it again, then decide."


class ContentTooLarge(ProblemError):
    """The body is larger than the declared limit."""

    status = 413
    code = "content_too_large"


class UnprocessableContent(ProblemError):
    """The request is well-formed and makes no sense here."""

    status = 422
    code = "unprocessable_content"


class RetryableError(ProblemError):
    """A temporary error: the client may try again after `retry_after` whole seconds."""

    def __init__(
        self,
        detail: str | None = None,
        *,
        retry_after: int = 1,
        headers: Mapping[str, str] | None = None,
        **members: object,
    ) -> None:
        headers = {**(headers or {}), "Retry-After": str(retry_after)}
        super().__init__(detail, headers=headers, retry_after=retry_after, **members)
        self.retry_after = retry_after


class TooManyRequests(RetryableError):
    """The client has exhausted its budget."""

    status = 429
    code = "too_many_requests"


class InternalServerError(ProblemError):
    """Something we did not foresee; the log has the trace under the request id."""


UNHANDLED = "Something went wrong here; quote the request id when you report it."
"""The detail of an `InternalServerError` for an exception that nothing handled."""


class BadGateway(ProblemError):
    """An upstream server sent an invalid response."""

    status = 502
    code = "bad_gateway"


class ServiceUnavailable(RetryableError):
    """A dependency is temporarily unavailable."""

    status = 503
    code = "service_unavailable"


class GatewayTimeout(RetryableError):
    """The response took longer than its limit."""

    status = 504
    code = "gateway_timeout"
