"""The API keeps what its own OpenAPI document promises, says Schemathesis with all its checks."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest
from fastapi import FastAPI
from pydantic import SecretStr

from bedplate import clock, ids
from bedplate.database import Database
from bedplate.testing.contracts import listed, new_seed, schemathesis_failures
from bedplate.testing.processes import free_port
from live import security
from live.sessions import repository

Headers = dict[str, str]
MakeApp = Callable[..., FastAPI]

CONFIGURATION = Path(__file__).parents[3] / "schemathesis.toml"
TOKEN = "h_0123456789abcdef"


@pytest.fixture
async def host(database: Database) -> Headers:
    """The header of a host's token, which opens all sessions that it makes."""
    async with database.write() as session:
        await repository.add_token(
            session, ids.uuid(), security.hash_of(TOKEN), role=security.HOST, host=ids.uuid(),
            session_id=None, label="host", now=clock.now(),
        )  # fmt: skip
    return {"Authorization": f"Bearer {TOKEN}"}


def uncounted(make_app: MakeApp) -> FastAPI:
    """Return the API; guesses aren't counted, since the Redis that would is away."""
    nowhere = SecretStr(f"redis://127.0.0.1:{free_port()}")
    return make_app(redis_url=nowhere, rate_limit_on_failure="allow")


def found(
    app: FastAPI, user: Headers, *, examples: int = 5, seed: int | None = None
) -> dict[str, str]:
    """Return what Schemathesis finds wrong; without a seed it's the same every time."""
    return schemathesis_failures(
        app, user, configuration=CONFIGURATION, examples=examples, seed=seed
    )


async def test_it_keeps_its_promises(make_app: MakeApp, host: Headers) -> None:
    """No request that Schemathesis makes up gets an answer that the document doesn't allow."""
    failures = await asyncio.to_thread(found, uncounted(make_app), host)
    assert not failures, listed(failures)


@pytest.mark.soak
async def test_it_keeps_its_promises_for_long(make_app: MakeApp, host: Headers) -> None:
    """The same with many more requests, other ones in every run."""
    seed = new_seed()
    failures = await asyncio.to_thread(found, uncounted(make_app), host, examples=200, seed=seed)
    assert not failures, f"seed {seed}\n{listed(failures)}"
