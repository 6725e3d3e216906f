"""The API keeps what its own OpenAPI document promises, says Schemathesis with all its checks."""

import asyncio
from pathlib import Path

import pytest
from fastapi import FastAPI

from bedplate.testing.contracts import listed, new_seed, schemathesis_failures

Headers = dict[str, str]

CONFIGURATION = Path(__file__).parents[3] / "schemathesis.toml"


def found(app: FastAPI, admin: Headers, *, examples: int, seed: int | None = None) -> str:
    """Return what Schemathesis finds wrong; without a seed it's the same every time."""
    failures = schemathesis_failures(
        app,
        admin,
        configuration=CONFIGURATION,
        examples=examples,
        seed=seed,
        binary=["application/zstd"],
    )
    return listed(failures)


async def test_it_keeps_its_promises(unlimited_app: FastAPI, admin: Headers) -> None:
    """No request that Schemathesis makes up gets an answer that the document doesn't allow."""
    failures = await asyncio.to_thread(found, unlimited_app, admin, examples=1)
    assert not failures, failures


@pytest.mark.soak
async def test_it_keeps_its_promises_for_long(unlimited_app: FastAPI, admin: Headers) -> None:
    """The same with many more requests, other ones in every run."""
    seed = new_seed()
    failures = await asyncio.to_thread(found, unlimited_app, admin, examples=200, seed=seed)
    assert not failures, f"seed {seed}\n{failures}"
