"""Positions, and the dependency that reads them."""

import pytest
from fastapi import FastAPI
from hypothesis import given
from hypothesis import strategies as st
from starlette.testclient import TestClient

from bedplate.realtime import LastEventId, Position
from bedplate.realtime.position import UNKNOWN


@given(st.from_regex(r"[0-9A-Za-z_]{1,64}", fullmatch=True), st.integers(0, 10**18 - 1))
def test_a_position_reads_what_it_writes(epoch: str, offset: int) -> None:
    """Text and position are two forms of the same."""
    position = Position(epoch, offset)
    assert Position.parse(str(position)) == position


@given(st.text())
def test_any_text_is_a_position_or_none(text: str) -> None:
    """Whatever a client sends, reading it raises nothing, and what is read is what was sent."""
    position = Position.parse(text)
    assert position is None or str(position) == text or int(text.rpartition("-")[2]) >= 0


@pytest.mark.parametrize(
    "text",
    ["", "-", "a-", "-1", "a--1", "a-1-1", "a-1\n", "a-\u0661", "é-1", "a-" + "9" * 19, "a 1"],
)
def test_what_is_no_position_is_none(text: str) -> None:
    """Foreign digits, signs, line ends and numbers beyond 64 bits are no position."""
    assert Position.parse(text) is None


@pytest.fixture
def client() -> TestClient:
    """Give a client of an application that says what position was read."""
    app = FastAPI()

    @app.get("/")
    async def read(position: LastEventId) -> str:
        return "new" if position is None else "?" if position == UNKNOWN else str(position)

    return TestClient(app)


@pytest.mark.parametrize(
    ("headers", "query", "read"),
    [
        ({}, "", "new"),
        ({"Last-Event-ID": ""}, "", "new"),
        ({"Last-Event-ID": "abc-7"}, "", "abc-7"),
        ({}, "?last_event_id=abc-7", "abc-7"),
        ({"Last-Event-ID": "abc-8"}, "?last_event_id=abc-7", "abc-8"),
        ({}, "?last_event_id=%00&last_event_id=%ff", "?"),
        ({}, "?last_event_id=-1", "?"),
        ({}, "?last_event_id=" + "9" * 5_000, "?"),
        ({"Last-Event-ID": "undefined"}, "", "?"),
        ({"Last-Event-ID": b"\xff\xfe"}, "", "?"),
    ],
)
def test_a_client_is_never_refused_for_its_position(
    client: TestClient, headers: dict[str, str], query: str, read: str
) -> None:
    """Header and query are read, the header first; garbage is an unknown position, no error."""
    response = client.get("/" + query, headers=headers)
    assert (response.status_code, response.json()) == (200, read)
