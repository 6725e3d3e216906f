"""Budgets, decisions on requests, and the headers that report them."""

from dataclasses import dataclass
from math import ceil
from typing import Any, NamedTuple

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


@dataclass(frozen=True)
class Budget:
    """`limit` requests in any `seconds`: `Budget(100)` is 100 a minute."""

    limit: int
    seconds: int = 60

    def __post_init__(self) -> None:
        """Refuse a budget that nobody could spend: both numbers are at least 1."""
        if self.limit < 1 or self.seconds < 1:
            raise ValueError("A budget needs a limit and seconds of at least 1.")


class Windows(NamedTuple):
    """A store's counts for one key, right after its decision on a request.

    Time is divided into windows of `seconds`. A request counts in the `current` window; the
    `previous` count fades in proportion to `previous_left` seconds, so that there is no double
    burst at a boundary. The current window ends in `current_left` seconds.
    """

    allowed: bool
    previous: int
    previous_left: float
    current: int
    current_left: float


@dataclass(frozen=True, slots=True)
class Decision:
    """Whether a request may pass, and the client's remaining budget.

    `reset` (Unix time) and `reset_after` (seconds from now, at least 1) are the time of the next
    request that passes when nothing remains, else the end of the current window.
    """

    allowed: bool
    limit: int
    remaining: int
    reset: int
    reset_after: int
    window_seconds: int

    @property
    def retry_after(self) -> int:
        """Seconds until the next request passes; 0 when this one passes."""
        return 0 if self.allowed else self.reset_after


def decide(budget: Budget, windows: Windows, now: float) -> Decision:
    """Return the decision that `windows` mean under `budget`; `now` is the Unix time.

    Example, 10 requests in 60 s: with `previous_left` 45 s, 8 requests of the previous window
    count as 8 · 45/60 = 6; with 6 in the current window, 12 are spent and nothing remains. The
    next request passes when the 8 count as 10 - 6 = 4, so at `previous_left` 4 · 60/8 = 30 s: in
    45 - 30 = 15 s.
    """
    limit, seconds = budget.limit, budget.seconds
    allowed, previous, previous_left, current, wait = windows
    spent = int(previous * previous_left / seconds) + current
    if limit <= spent and current < limit:
        wait = previous_left - (limit - current) * seconds / previous
    remaining = limit - spent if spent < limit else 0
    reset_after = max(ceil(wait), 1)
    reset = max(ceil(now + wait), int(now) + 1)
    return Decision(allowed, limit, remaining, reset, reset_after, seconds)


def rate_limit_headers(decision: Decision) -> list[tuple[bytes, bytes]]:
    """Return the ASGI headers that report a decision.

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
    """Leave the headers of `decision` in `state["response_headers"]`, or those of a tighter one."""
    headers: list[tuple[bytes, bytes]] = state.setdefault("response_headers", [])
    earlier: Decision | None = state.get("rate_limit")
    if earlier is not None:
        if _tightness(earlier) <= _tightness(decision):
            return
        headers[:] = [header for header in headers if header[0] not in _OURS]
    state["rate_limit"] = decision
    headers += rate_limit_headers(decision)


def _tightness(decision: Decision) -> tuple[bool, int, int]:
    return decision.allowed, decision.remaining, -decision.reset
