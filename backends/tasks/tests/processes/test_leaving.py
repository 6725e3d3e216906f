"""A process under load that is asked to go away."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

Headers = dict[str, str]


async def test_sigterm_loses_no_request(
    postgres_url: str, start_api: Callable[..., Awaitable[Any]],
    sign_in_many: Callable[[str], Awaitable[list[Headers]]], writers: Callable[..., Any],
    stored_in: Callable[[str], Awaitable[list[int]]],
) -> None:  # fmt: skip
    """While 50 clients write, each request that was sent is answered and stored; exit code 0."""
    people = await sign_in_many(postgres_url)
    instance = await start_api(postgres_url)
    async with writers(instance.url, people, 50) as load:
        await load.until_acknowledged(500)
        instance.process.terminate()
        await load.refused()
        assert await asyncio.to_thread(instance.process.wait) == 0
    assert load.lost == []
    assert set(load.statuses) == {201}
    assert await stored_in(postgres_url) == sorted(load.acknowledged)
