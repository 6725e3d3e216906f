"""The API keeps what its own OpenAPI document promises, says Schemathesis with all its checks."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest
from fastapi import FastAPI
from pydantic import SecretStr

from bedplate.testing.contracts import listed, new_seed, schemathesis_failures
from bedplate.testing.processes import free_port

Headers = dict[str, str]

CONFIGURATION = Path(__file__).parents[3] / "schemathesis.toml"


def found(
    app: FastAPI, user: Headers, *, examples: int = 20, seed: int | None = None
) -> dict[str, str]:
    """Return what Schemathesis finds wrong; without a seed it's the same every time."""
    return schemathesis_failures(
        app, user, configuration=CONFIGURATION, examples=examples, seed=seed
    )


async def test_it_keeps_its_promises(app_without_limits: FastAPI, ada: Headers) -> None:
    """No request that Schemathesis makes up gets an answer that the document doesn't allow."""
    failures = await asyncio.to_thread(found, app_without_limits, ada)
    assert not failures, listed(failures)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_it_keeps_them_without_compiled_routes(
    make_app: Callable[..., FastAPI], ada: Headers
) -> None:
    """With COMPILED_ROUTES=false FastAPI serves the requests, and keeps the same promises."""
    nowhere = SecretStr(f"redis://127.0.0.1:{free_port()}")
    app = make_app(compiled_routes=False, redis_url=nowhere, rate_limit_on_failure="allow")
    failures = await asyncio.to_thread(found, app, ada, examples=5)
    assert not failures, listed(failures)


@pytest.mark.soak
async def test_it_keeps_its_promises_for_long(app_without_limits: FastAPI, ada: Headers) -> None:
    """The same with many more requests, other ones in every run."""
    seed = new_seed()
    failures = await asyncio.to_thread(found, app_without_limits, ada, examples=400, seed=seed)
    assert not failures, f"seed {seed}\n{listed(failures)}"
