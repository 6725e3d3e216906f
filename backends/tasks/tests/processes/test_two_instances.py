"""Two processes that share PostgreSQL and Valkey answer as one."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any

import httpx2
import pytest

from bedplate.testing.problems import ProblemOf
from bedplate.testing.processes import free_port

Headers = dict[str, str]
SignInMany = Callable[[str], Awaitable[list[Headers]]]
StartAPI = Callable[..., Awaitable[Any]]


@pytest.fixture
async def start_two(
    start_api: StartAPI, postgres_url: str
) -> AsyncIterator[Callable[..., Awaitable[list[httpx2.AsyncClient]]]]:
    """Give what starts two instances on one database, and returns a client of each."""
    async with AsyncExitStack() as stack:

        async def start_two(**variables: str) -> list[httpx2.AsyncClient]:
            starting = (start_api(postgres_url, **variables) for _ in range(2))
            instances = await asyncio.gather(*starting)
            clients = [
                httpx2.AsyncClient(base_url=instance.url, timeout=60) for instance in instances
            ]
            return [await stack.enter_async_context(client) for client in clients]

        yield start_two


async def test_a_hundred_posts_with_one_key_store_one_task(
    start_two: Callable[..., Awaitable[list[httpx2.AsyncClient]]], postgres_url: str,
    sign_in_many: SignInMany, stored_in: Callable[[str], Awaitable[list[int]]],
) -> None:  # fmt: skip
    """A hundred simultaneous identical POSTs to two processes are answered alike."""
    (user, *_) = await sign_in_many(postgres_url)
    # A user may write thirty times a minute; that is not what this is about.
    nowhere = f"redis://127.0.0.1:{free_port()}"
    clients = await start_two(REDIS_URL=nowhere, TASKS_RATE_LIMIT_ON_FAILURE="allow")
    keyed = {**user, "Idempotency-Key": "once"}
    posts = [
        clients[number % 2].post("/tasks", json={"title": "Milk"}, headers=keyed)
        for number in range(100)
    ]
    answers = {
        (response.status_code, response.content, response.headers["location"])
        for response in await asyncio.gather(*posts)
    }
    assert len(answers) == 1
    ((status, _, location),) = answers
    assert status == 201
    assert [f"/tasks/{task_id}" for task_id in await stored_in(postgres_url)] == [location]


async def test_the_hundred_and_first_read_of_both_is_refused(
    start_two: Callable[..., Awaitable[list[httpx2.AsyncClient]]], postgres_url: str,
    redis_url: str, sign_in_many: SignInMany, problem_of: ProblemOf,
) -> None:  # fmt: skip
    """A hundred reads a minute, whichever process gets them: of a user, of an address without."""
    (user, other, *_) = await sign_in_many(postgres_url)
    clients = await start_two(REDIS_URL=redis_url)
    for proof, status in ((user, 200), ({"Authorization": "Bearer guess"}, 401)):
        for number in range(100):
            response = await clients[number % 2].get("/tasks", headers=proof)
            assert response.status_code == status
            assert response.headers["ratelimit-remaining"] == str(99 - number)
        for client in clients:
            refused = await client.get("/tasks", headers=proof)
            assert_told(refused, problem_of(refused, 429))
            assert (await client.get("/tasks", headers=other)).status_code == 200


def assert_told(refused: httpx2.Response, problem: dict[str, Any]) -> None:
    """Check that headers and problem document report the spent budget, and when it is filled."""
    info = problem["rate_limit_info"]
    assert (info["limit"], info["remaining"], info["window_seconds"]) == (100, 0, 60)
    assert 0 < problem["retry_after"] <= 61
    for name, value in {
        "retry-after": str(problem["retry_after"]),
        "ratelimit-limit": "100",
        "ratelimit-remaining": "0",
        "ratelimit-reset": str(problem["retry_after"]),
        "ratelimit-policy": "100;w=60",
        "x-ratelimit-limit": "100",
        "x-ratelimit-remaining": "0",
        "x-ratelimit-reset": str(info["reset"]),
    }.items():
        assert refused.headers[name] == value
