"""What a response says about the client's budget."""

from typing import Any

from bedplate.rate_limits import EXPOSED_HEADERS, Decision
from bedplate.rate_limits.budget import leave_headers, rate_limit_headers

PLENTY = Decision(True, 100, 60, 1_800_000_030, 30, 60)
SCARCE = Decision(True, 10, 2, 1_800_000_050, 50, 60)
SPENT = Decision(False, 30, 0, 1_800_000_010, 10, 60)


def test_both_families_of_headers_are_sent() -> None:
    """RateLimit-* count seconds from now, X-RateLimit-* tell the Unix time."""
    assert dict(rate_limit_headers(PLENTY)) == {
        b"ratelimit-limit": b"100",
        b"ratelimit-remaining": b"60",
        b"ratelimit-reset": b"30",
        b"ratelimit-policy": b"100;w=60",
        b"x-ratelimit-limit": b"100",
        b"x-ratelimit-remaining": b"60",
        b"x-ratelimit-reset": b"1800000030",
    }


def test_every_header_is_exposed_to_scripts() -> None:
    """The names for CORS are those that are sent, and Retry-After."""
    sent = {name.decode() for name, _ in rate_limit_headers(PLENTY)} | {"retry-after"}
    assert {name.lower() for name in EXPOSED_HEADERS} == sent


def test_of_several_limits_the_tightest_is_reported() -> None:
    """Whatever the order, a refusal goes before scarcity, and scarcity before plenty."""
    for decisions in ([PLENTY, SCARCE, SPENT], [SPENT, SCARCE, PLENTY], [SCARCE, SPENT, PLENTY]):
        state: dict[str, Any] = {"response_headers": [(b"x-other", b"1")]}
        for decision in decisions:
            leave_headers(state, decision)
        assert state["response_headers"] == [(b"x-other", b"1"), *rate_limit_headers(SPENT)]
