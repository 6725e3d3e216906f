"""Budgets and what the counts of two windows mean for a request."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bedplate.rate_limits.budget import Budget, Windows, decide

NOW = 1_800_000_000.25
BUDGETS = st.builds(Budget, st.integers(1, 1_000), st.integers(1, 3_600))


@st.composite
def _counted(draw: st.DrawFn) -> tuple[Budget, Windows]:
    """Counts that a store can come to: never more than the limit in either window."""
    budget = draw(BUDGETS)
    left = draw(st.floats(0, 1)) * budget.seconds
    previous, current = (draw(st.integers(0, budget.limit)) for _ in range(2))
    return budget, Windows(draw(st.booleans()), previous, left, current, left)


def test_a_budget_is_a_minute_unless_said_otherwise() -> None:
    """The plain form says requests a minute."""
    assert Budget(100) == Budget(limit=100, seconds=60)


@pytest.mark.parametrize(("limit", "seconds"), [(0, 60), (-1, 60), (10, 0)])
def test_a_budget_nobody_could_spend_is_refused(limit: int, seconds: int) -> None:
    """A limit or a window below 1 is a mistake, and is reported when it is declared."""
    with pytest.raises(ValueError, match="at least 1"):
        Budget(limit, seconds)


@given(_counted())
def test_what_the_client_learns_is_consistent(counted: tuple[Budget, Windows]) -> None:
    """Remaining is between 0 and the limit; the reset is in the future, at most a window away."""
    budget, windows = counted
    decision = decide(budget, windows, NOW)
    assert 0 <= decision.remaining <= budget.limit
    assert NOW < decision.reset <= NOW + budget.seconds + 1
    assert 1 <= decision.reset_after <= budget.seconds
    assert decision.retry_after == (0 if windows.allowed else decision.reset_after)


def test_a_full_current_window_resets_when_it_ends() -> None:
    """Nothing more passes until the window turns."""
    decision = decide(Budget(5), Windows(False, 0, 20.5, 5, 20.5), NOW)
    assert (decision.remaining, decision.retry_after) == (0, 21)


def test_a_fading_previous_window_lets_the_next_request_pass_sooner() -> None:
    """With 10 of the previous window at half its weight, one fades every 6 seconds."""
    decision = decide(Budget(10), Windows(False, 10, 30.0, 5, 30.0), NOW)
    assert (decision.remaining, decision.retry_after) == (0, 1)
    decision = decide(Budget(10), Windows(False, 10, 35.0, 5, 35.0), NOW)
    assert (decision.remaining, decision.retry_after) == (0, 5)
