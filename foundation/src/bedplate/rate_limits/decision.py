"""A budget, what was spent of it, and what that means for one request."""

from dataclasses import dataclass
from math import ceil
from typing import NamedTuple


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
    """What a store counted for one key, right after it decided on one request.

    Time is cut in windows of `seconds`. A request counts in the `current` one; those of the
    `previous` one fade in proportion to what is left of theirs (`previous_left`, in seconds), so
    that there is no double burst at a boundary. `current_left` is in seconds too.
    """

    allowed: bool
    previous: int
    previous_left: float
    current: int
    current_left: float


@dataclass(frozen=True, slots=True)
class Decision:
    """Whether a request may pass, and what the client is told about its budget.

    `reset` (Unix time) and `reset_after` (seconds from now, at least 1) say when more may be
    asked: with nothing remaining the moment the next request passes, else the end of the current
    window. `retry_after` is `reset_after` of a refusal, and 0 of what is allowed.
    """

    allowed: bool
    limit: int
    remaining: int
    reset: int
    reset_after: int
    window_seconds: int

    @property
    def retry_after(self) -> int:
        """Seconds until the next request passes; 0 when this one does."""
        return 0 if self.allowed else self.reset_after


def decide(budget: Budget, windows: Windows, now: float) -> Decision:
    """Return what `windows` mean under `budget`; `now` is the Unix time."""
    limit, seconds = budget.limit, budget.seconds
    allowed, previous, previous_left, current, wait = windows
    spent = int(previous * previous_left / seconds) + current
    if limit <= spent and current < limit:
        wait = previous_left - (limit - current) * seconds / previous
    remaining = limit - spent if spent < limit else 0
    reset_after = max(ceil(wait), 1)
    reset = max(ceil(now + wait), int(now) + 1)
    return Decision(allowed, limit, remaining, reset, reset_after, seconds)
