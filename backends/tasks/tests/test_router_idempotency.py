"""`Idempotency-Key` on POST /tasks: the same request stores one task."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import httpx2
import pytest

from bedplate.testing.client import Client
from bedplate.testing.clock import SettableClock
from bedplate.testing.problems import ProblemOf

Headers = dict[str, str]
Stored = Callable[[], Awaitable[list[dict[str, Any]]]]

MILK = {"title": "Milk"}


@pytest.fixture
def keyed(ada: Headers) -> Headers:
    """Give the headers of a request of one user with a key."""
    return {**ada, "Idempotency-Key": "9b2d-4c1e"}


async def test_the_same_request_gets_the_same_answer(
    api: Client, keyed: Headers, stored: Stored
) -> None:
    """A repeated request with its key is answered as the first was, and stores nothing."""
    first = await api.post("/tasks", json=MILK, headers=keyed)
    again = await api.post("/tasks", json=MILK, headers=keyed)
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.content == first.content
    for name in ("location", "etag", "content-type"):
        assert again.headers[name] == first.headers[name]
    assert again.headers["x-request-id"] != first.headers["x-request-id"]
    assert len(await stored()) == 1


async def test_a_key_stands_for_one_request(
    api: Client, keyed: Headers, stored: Stored, problem_of: ProblemOf
) -> None:
    """The key of an earlier request with another body is a 422, and nothing is stored."""
    await api.post("/tasks", json=MILK, headers=keyed)
    reused = await api.post("/tasks", json={"title": "Oats"}, headers=keyed)
    assert problem_of(reused, 422)["code"] == "idempotency_key_reused"
    assert [row["title"] for row in await stored()] == ["Milk"]


async def test_a_key_belongs_to_its_user(
    api: Client, keyed: Headers, grace: Headers, stored: Stored
) -> None:
    """Two users with the same key each have a task of their own."""
    mine = await api.post("/tasks", json=MILK, headers=keyed)
    theirs = await api.post("/tasks", json=MILK, headers={**keyed, **grace})
    assert mine.json()["user_id"] != theirs.json()["user_id"]
    assert len(await stored()) == 2


async def test_a_refused_request_does_not_use_up_its_key(
    api: Client, keyed: Headers, stored: Stored, problem_of: ProblemOf
) -> None:
    """After a 400 the corrected request may come with the same key."""
    problem_of(await api.post("/tasks", json={"title": ""}, headers=keyed), 400)
    assert (await api.post("/tasks", json=MILK, headers=keyed)).status_code == 201
    assert len(await stored()) == 1


async def test_a_key_is_forgotten_after_a_day(api: Client, keyed: Headers, stored: Stored) -> None:
    """The same request with the same key is a new one 24 hours later."""
    with SettableClock(datetime.now(UTC)) as clock:
        first = await api.post("/tasks", json=MILK, headers=keyed)
        clock.advance(hours=23, minutes=59)
        again = await api.post("/tasks", json=MILK, headers=keyed)
        clock.advance(minutes=2)
        new = await api.post("/tasks", json=MILK, headers=keyed)
    assert again.json() == first.json()
    assert new.json()["id"] != first.json()["id"]
    assert len(await stored()) == 2


async def test_a_malformed_key_is_refused(
    api: Client, ada: Headers, stored: Stored, problem_of: ProblemOf
) -> None:
    """A key that isn't 1 to 255 visible ASCII characters is a 400, and nothing is stored."""
    for key in ("", " ", "two words", "ä", "x" * 256, "a\tb"):
        headers = httpx2.Headers({**ada, "Idempotency-Key": key}, encoding="utf-8")
        problem = problem_of(await api.post("/tasks", json=MILK, headers=headers), 400)
        assert "Idempotency-Key" in problem["detail"]
    assert await stored() == []


async def test_simultaneous_requests_with_one_key_store_one_task(
    api: Client, keyed: Headers, stored: Stored
) -> None:
    """Twenty simultaneous identical requests store one task and are answered alike."""
    posts = [api.post("/tasks", json=MILK, headers=keyed) for _ in range(20)]
    answers = {(r.status_code, r.content) for r in await asyncio.gather(*posts)}
    assert len(answers) == 1
    assert answers.pop()[0] == 201
    assert len(await stored()) == 1
