"""What a response says about the client's budget."""

from typing import Any

from bedplate.rate_limits.decision import Decision

EXPOSED_HEADERS = (
    "RateLimit-Limit",
    "RateLimit-Remaining",
    "RateLimit-Reset",
    "RateLimit-Policy",
    "X-RateLimit-Limit",
    "X-RateLimit-Remaining",
    "X-RateLimit-Reset",
    "Retry-After",
)
"""Names for `Access-Control-Expose-Headers`: without it browsers hide them from scripts."""

_OURS = frozenset(name.lower().encode() for name in EXPOSED_HEADERS)


def rate_limit_headers(decision: Decision) -> list[tuple[bytes, bytes]]:
    """Return the headers that tell `decision`, as ASGI wants them.

    `RateLimit-*` are those of draft-ietf-httpapi-ratelimit-headers-06, with a reset in seconds
    from now; the reset of `X-RateLimit-*`, which no document defines, is a Unix time as GitHub's.
    """
    limit, remaining = b"%d" % decision.limit, b"%d" % decision.remaining
    return [
        (b"ratelimit-limit", limit),
        (b"ratelimit-remaining", remaining),
        (b"ratelimit-reset", b"%d" % decision.reset_after),
        (b"ratelimit-policy", b"%d;w=%d" % (decision.limit, decision.window_seconds)),
        (b"x-ratelimit-limit", limit),
        (b"x-ratelimit-remaining", remaining),
        (b"x-ratelimit-reset", b"%d" % decision.reset),
    ]


def leave_headers(state: dict[str, Any], decision: Decision) -> None:
    """Leave the headers of `decision` for the response, in `state["response_headers"]`.

    Where several limits apply to a request, the tightest one is told.
    """
    headers: list[tuple[bytes, bytes]] = state.setdefault("response_headers", [])
    told: Decision | None = state.get("rate_limit")
    if told is not None:
        if _tightness(told) <= _tightness(decision):
            return
        headers[:] = [header for header in headers if header[0] not in _OURS]
    state["rate_limit"] = decision
    headers += rate_limit_headers(decision)


def _tightness(decision: Decision) -> tuple[bool, int, int]:
    return decision.allowed, decision.remaining, -decision.reset
