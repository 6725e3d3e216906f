"""Participants' tokens: they prove themselves, across restarts, and nobody can make one."""

import base64
from collections.abc import Callable
from typing import TYPE_CHECKING
from uuid import UUID

import pytest
from fastapi import FastAPI
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import SecretStr

from bedplate.testing.client import client
from bedplate.testing.problems import ProblemOf
from live.security import Member, ParticipantTokens

if TYPE_CHECKING:
    from backends.live.tests.conftest import Evening

MakeApp = Callable[..., FastAPI]

TOKENS = ParticipantTokens(SecretStr("5" * 64))
MEMBER = Member(UUID(int=1), UUID(int=2))


async def test_a_token_survives_a_restart_and_no_other_secret(
    evening: "Evening", make_app: MakeApp, problem_of: ProblemOf
) -> None:
    """Another process with the same secret knows the person, one with another secret doesn't."""
    ann = await evening.join("Ann")
    path = f"{evening.path}/participants/rejoin"
    async with client(make_app()) as api:
        assert (await api.post(path, headers=ann.headers)).json() == ann.joined
    async with client(make_app(token_secret=SecretStr("6" * 64))) as api:
        problem_of(await api.post(path, headers=ann.headers), 403)
        problem_of(await api.get(f"{evening.path}/state", headers=ann.headers), 403)


async def test_a_token_is_of_one_session(evening: "Evening", problem_of: ProblemOf) -> None:
    """In another one of the same host it is a 403, in none a 404."""
    ann = await evening.join("Ann")
    other = await type(evening).create(evening.api, evening.host)
    await other.start()
    for method, rest in (
        ("POST", "/participants/rejoin"), ("POST", "/participants/heartbeat"), ("GET", "/state"),
    ):  # fmt: skip
        response = await other.api.request(method, other.path + rest, headers=ann.headers)
        problem_of(response, 403)
        nowhere = f"/api/v1/sessions/00000000-0000-4000-8000-000000000000{rest}"
        problem_of(await other.api.request(method, nowhere, headers=ann.headers), 404)


def test_a_token_is_read_as_it_was_made() -> None:
    """It has 66 characters, which are always the same."""
    token = TOKENS.make(MEMBER)
    assert TOKENS.make(MEMBER) == token
    assert len(token) == 66
    assert TOKENS.read(token) == MEMBER


@given(number=st.integers(0, 2**128 - 1), place=st.integers(0, 65), sign=st.sampled_from("-_+/=A0"))
@example(number=0xFBEFBE << 104, place=2, sign="+")
@example(number=0xFFFFFF << 104, place=2, sign="/")
def test_another_character_makes_it_invalid(number: int, place: int, sign: str) -> None:
    """Every character counts: none is ignored, and none has a second spelling."""
    token = TOKENS.make(Member(UUID(int=number), UUID(int=2)))
    changed = token[:place] + sign + token[place + 1 :]
    assert (TOKENS.read(changed) is not None) == (changed == token)


@pytest.mark.parametrize(
    "token",
    [
        "", "p_", "p_" + "A" * 64, "p_" + "A" * 63 + "=", "x_" + TOKENS.make(MEMBER)[2:],
        TOKENS.make(MEMBER) + "=", TOKENS.make(MEMBER)[:-4], " " + TOKENS.make(MEMBER),
        "p_" + base64.b64encode(b"\xff" * 48).decode(), "h_" + "0" * 64,
    ],
)  # fmt: skip
def test_what_is_no_token_is_none(token: str) -> None:
    """Other lengths, other beginnings and other alphabets are refused."""
    assert TOKENS.read(token) is None
