"""A session is a draft, then active, then completed, and nothing else."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from bedplate.testing.clock import SettableClock
from bedplate.testing.problems import ProblemOf

if TYPE_CHECKING:
    from backends.live.tests.conftest import Evening

MakeEvening = Callable[..., Awaitable["Evening"]]


async def test_times_are_set_once(clock: SettableClock, make_evening: MakeEvening) -> None:
    """A start and an end are stored when they happen, and neither is changed later."""
    evening = await make_evening()
    assert evening.session["state"] == "draft"
    assert evening.session["started_at"] is None
    clock.advance(minutes=1)
    await evening.start()
    clock.advance(minutes=1)
    await evening.complete()
    clock.advance(minutes=1)
    for verb in ("start", "complete"):
        response = await evening.api.post(f"{evening.path}/{verb}", headers=evening.host)
        assert response.status_code == 410
    now = await evening.get()
    assert now["state"] == "completed"
    assert now["started_at"] == "2026-01-01T12:01:00Z"
    assert now["completed_at"] == "2026-01-01T12:02:00Z"


async def test_a_step_out_of_order_names_the_state(
    make_evening: MakeEvening, problem_of: ProblemOf
) -> None:
    """Starting twice and completing a draft are 409s that say which state it is in."""
    evening = await make_evening()
    response = await evening.api.post(f"{evening.path}/complete", headers=evening.host)
    assert problem_of(response, 409)["state"] == "draft"
    await evening.start()
    response = await evening.api.post(f"{evening.path}/start", headers=evening.host)
    assert problem_of(response, 409)["state"] == "active"
