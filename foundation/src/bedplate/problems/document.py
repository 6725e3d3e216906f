import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response
from starlette.types import Scope

from bedplate import clock
from bedplate.problems.exceptions import FieldError, InvalidInput, ProblemError, phrase_of

MEDIA_TYPE = "application/problem+json"
"""The media type of problem documents (RFC 9457, section 3)."""

_MAX_INSTANCE_LENGTH = 2_048
# Allowed in a path by RFC 3986; % because the path is still escaped.
_PATH_CHARACTERS = "/%!$&'()*+,;=:@-._~"


class RateLimitInfo(BaseModel):
    """The exhausted budget behind a 429."""

    limit: int
    remaining: int
    reset: int = Field(description="Unix time in seconds")
    window_seconds: int


class Problem(BaseModel):
    """An RFC 9457 problem document, for OpenAPI."""

    model_config = ConfigDict(extra="allow")

    type: str = Field(default="about:blank", json_schema_extra={"format": "uri-reference"})
    title: str
    status: int
    detail: str | None = None
    instance: str | None = Field(default=None, json_schema_extra={"format": "uri-reference"})
    code: str = Field(description="Stable name of the error")
    timestamp: str = Field(json_schema_extra={"format": "date-time"})
    request_id: str | None = None
    errors: list[FieldError] | None = None
    retry_after: int | None = Field(default=None, description="Seconds")
    rate_limit_info: RateLimitInfo | None = None


@dataclass(frozen=True, kw_only=True)
class ProblemPolicy:
    """How a backend presents its errors.

    `validation_status` is the status for invalid input (422 or 400). `type_uri` is the page that
    documents an error, with `{code}` in it; without it the type is `about:blank`. `render` replaces
    the problem document when a published contract requires another error shape.
    """

    validation_status: int = 422
    type_uri: str | None = None
    render: Callable[[Scope, ProblemError], Response] | None = None


DEFAULT_POLICY = ProblemPolicy()


def policy_of(scope: Scope) -> ProblemPolicy:
    """Return the policy of the application that serves this scope, or the default."""
    app = scope.get("app")
    policy = getattr(getattr(app, "state", None), "problem_policy", None)
    return policy if isinstance(policy, ProblemPolicy) else DEFAULT_POLICY


def status_of(error: ProblemError, policy: ProblemPolicy) -> int:
    """Return the HTTP status of an error under a policy."""
    return policy.validation_status if isinstance(error, InvalidInput) else error.status


def problem_response(scope: Scope, error: ProblemError) -> Response:
    """Return the response to an error; pure ASGI classes use it outside of routes."""
    policy = policy_of(scope)
    scope.setdefault("state", {})["problem"] = error.code
    if policy.render is not None:
        return policy.render(scope, error)
    status = status_of(error, policy)
    document: dict[str, Any] = {
        "type": policy.type_uri.format(code=error.code) if policy.type_uri else "about:blank",
        # "about:blank" says no more than the status does (RFC 9457, section 4.2.1).
        "title": error.title if policy.type_uri else phrase_of(status),
        "status": status,
        "detail": error.detail or error.title,
        "instance": _instance(scope, error),
        "code": error.code,
        "timestamp": clock.now().isoformat().replace("+00:00", "Z"),
        "request_id": scope["state"].get("request_id"),
        **error.members,
    }
    content = {name: value for name, value in document.items() if value is not None}
    return ProblemResponse(content, status, {"Cache-Control": "no-store", **error.headers})


class ProblemResponse(Response):
    """A response whose body is a problem document."""

    media_type = MEDIA_TYPE

    def render(self, content: Any) -> bytes:
        """Return the JSON in ASCII, since a field's name may hold a lone surrogate."""
        try:
            text = json.dumps(content, separators=(",", ":"), default=str, allow_nan=False)
        except (TypeError, ValueError, RecursionError):
            # Without the extension members, one of which JSON can't hold.
            members = Problem.model_fields.keys() & content.keys()
            standard = {name: content[name] for name in content if name in members}
            text = json.dumps(standard, separators=(",", ":"), default=str)
        return text.encode("ascii")


def _instance(scope: Scope, error: ProblemError) -> str | None:
    """Return the request's raw path, unless a value in it was refused."""
    if isinstance(error, InvalidInput) and error.in_path:
        return None
    raw = scope.get("raw_path") or scope["path"].encode("utf-8", "replace").replace(b"%", b"%25")
    path = quote(raw.partition(b"?")[0], safe=_PATH_CHARACTERS)
    return path if path and len(path) <= _MAX_INSTANCE_LENGTH else None
