"""Join codes: how they look, how they may be typed, and how many may be guessed."""

import re
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

import pytest
from fastapi import FastAPI

from bedplate.database import Statement
from bedplate.testing.client import Client, client
from bedplate.testing.clock import SettableClock
from bedplate.testing.problems import ProblemOf
from live.sessions.service import new_code, normalized_code

if TYPE_CHECKING:
    from backends.live.tests.conftest import Evening

MakeEvening = Callable[..., Awaitable["Evening"]]
MakeApp = Callable[..., FastAPI]

CODE = re.compile("[BCDFGHJKMNPQRTVWX2345679]{7}")


def test_codes_are_unambiguous_and_spread() -> None:
    """Seven of 24 signs, of which none can be taken for another one; every sign at every place."""
    codes = {new_code() for _ in range(3000)}
    assert len(codes) == 3000
    assert all(CODE.fullmatch(code) for code in codes)
    assert all(len({code[place] for code in codes}) == 24 for place in range(7))


@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("BCD5F2B", "BCD5F2B"),
        (" bcd-5f2b ", "BCD5F2B"),
        ("bcd 5f 2b", "BCD5F2B"),
        ("\uff22\uff23\uff24\uff15\uff26\uff12\uff22", "BCD5F2B"),
        ("BCD\u20105F\u20112B\u200b", "BCD5F2B"),
        ("b.c.d.s.f.z.8", "BCD5F2B"),
        ("", None),
        ("BCD5F2", None),
        ("BCD5F2BB", None),
        ("BCDAF2B", None),
        ("BCD0F2B", None),
        ("BCD\x005F2", None),
        ("ÄÖÜßÉÈÑ", None),
        ("%' OR 1", None),
        ("\u0662" * 7, None),
    ],
)
def test_codes_are_typed_leniently(typed: str, code: str | None) -> None:
    """Case, width, spaces, hyphens and misread signs don't matter; what can't be one is none."""
    assert normalized_code(typed) == code


async def test_who_types_a_code_otherwise_joins_all_the_same(evening: "Evening") -> None:
    """Small letters and spaces find the session, and join it."""
    typed = " ".join(evening.code.lower())
    response = await evening.api.get(f"/api/v1/join/{typed}")
    assert response.json()["session_id"] == evening.id
    body = {"code": typed, "nickname": "Ann"}
    response = await evening.api.post(f"{evening.path}/participants", json=body)
    assert response.status_code == 201, response.text


async def test_what_a_code_joins(make_evening: MakeEvening, problem_of: ProblemOf) -> None:
    """A draft can't be joined yet, an active session can, a completed one is a 410."""
    evening = await make_evening(title="Physics", description="Week 1", max_participants=1)
    path = f"/api/v1/join/{evening.code}"
    before = (await evening.api.get(path)).json()
    assert before == {
        "session_id": evening.id, "title": "Physics", "description": "Week 1", "state": "draft",
        "nicknames": "chosen", "full": False, "joinable": False,
    }  # fmt: skip
    await evening.start()
    assert (await evening.api.get(path)).json() == {**before, "state": "active", "joinable": True}
    await evening.join("Ann")
    full = {**before, "state": "active", "full": True}
    assert (await evening.api.get(path)).json() == full
    await evening.complete()
    problem_of(await evening.api.get(path), 410)
    problem_of(await evening.api.get("/api/v1/join/BCD5F2B"), 404)


async def test_a_join_wave_costs_a_statement_a_look(
    evening: "Evening", run_statements: list[Statement]
) -> None:
    """What a code joins may be cached for two seconds by all, and is read by one statement.

    A refusal is not to be cached, and a text that can't be a code costs no statement.
    """
    response = await evening.api.get(f"/api/v1/join/{evening.code}")
    assert response.headers["cache-control"] == "public, max-age=2"
    reads = [each for each in run_statements if "live_session.code =" in str(each)]
    assert len(reads) == 1
    run_statements.clear()
    response = await evening.api.get("/api/v1/join/AEIOU01")
    assert response.status_code == 404
    assert "public" not in response.headers.get("cache-control", "")
    assert not [each for each in run_statements if "live_session.code =" in str(each)]


async def guess(api: Client, number: int) -> list[int]:
    """Try so many codes that aren't there, and return the statuses."""
    return [(await api.get("/api/v1/join/BCD5F2B")).status_code for _ in range(number)]


async def test_guesses_are_limited_and_then_say_nothing(
    evening: "Evening", make_app: MakeApp, clock: SettableClock
) -> None:
    """After the limit a wrong code and a right one have the same answer: 429, with a time.

    Another address is let in all the while, and this one too when the time is over.
    """
    async with client(make_app(failed_joins_per_minute=5)) as api:
        assert await guess(api, 6) == [404] * 5 + [429]
        response = await api.get(f"/api/v1/join/{evening.code}")
        assert response.status_code == 429
        assert 0 < int(response.headers["retry-after"]) <= 60
        body = {"code": evening.code, "nickname": "Ann"}
        response = await api.post(f"{evening.path}/participants", json=body)
        assert response.status_code == 429
        clock.advance(seconds=120)
        assert (await api.get(f"/api/v1/join/{evening.code}")).status_code == 200
    assert (await evening.api.get(f"/api/v1/join/{evening.code}")).status_code == 200


async def test_a_hall_behind_one_address_is_not_punished(
    evening: "Evening", make_app: MakeApp
) -> None:
    """Once somebody there has used the right code, guesses of others keep nobody out.

    The right ones never count, however many they are.
    """
    async with client(make_app(failed_joins_per_minute=5)) as api:
        path = f"/api/v1/join/{evening.code}"
        assert [(await api.get(path)).status_code for _ in range(20)] == [200] * 20
        assert await guess(api, 20) == [404] * 5 + [429] * 15
        assert (await api.get(path)).status_code == 200
        for number in range(5):
            body = {"code": evening.code, "nickname": f"Guest {number}"}
            response = await api.post(f"{evening.path}/participants", json=body)
            assert response.status_code == 201, response.text


async def test_guesses_at_a_session_that_is_known_are_limited_too(
    evening: "Evening", make_app: MakeApp, problem_of: ProblemOf
) -> None:
    """A wrong code at a session's own path is a 403, an unknown session a 404, both counted."""
    nowhere = "/api/v1/sessions/00000000-0000-4000-8000-000000000000/participants"
    async with client(make_app(failed_joins_per_minute=4)) as api:
        for _ in range(2):
            wrong = {"code": "BCD5F2B", "nickname": "Ann"}
            problem_of(await api.post(f"{evening.path}/participants", json=wrong), 403)
            right = {"code": evening.code, "nickname": "Ann"}
            problem_of(await api.post(nowhere, json=right), 404)
        for body in (wrong, right):
            problem_of(await api.post(f"{evening.path}/participants", json=body), 429)
    assert (await evening.get())["participants"] == 0
