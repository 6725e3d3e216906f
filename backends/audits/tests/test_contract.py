"""The API keeps what its own OpenAPI document promises, says Schemathesis with all its checks."""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from fastapi import FastAPI
from pydantic import SecretStr

from audits.insights.model import Question
from audits.insights.service import Reader
from audits.settings import AuditsKey
from bedplate.testing.contracts import listed, new_seed, schemathesis_failures
from bedplate.testing.processes import free_port

Headers = dict[str, str]

KEY = AuditsKey.parse("boss:admin:a-key")
PROOF = {"X-API-Key": "a-key"}
MakeApp = Callable[..., FastAPI]

CONFIGURATION = Path(__file__).parents[3] / "schemathesis.toml"


class Agreeable:
    """A language model that always answers: the requests are what is tried here."""

    async def answer(self, question: Question) -> str:
        """Return an answer of the shape that is asked for."""
        return '{"summary": "", "risk": "low", "anomalies": []}' if question.schema else "Yes."

    async def stream(self, question: Question) -> AsyncIterator[str]:
        """Yield the same answer in one part."""
        yield await self.answer(question)


def keyed(make_app: MakeApp, **changes: object) -> FastAPI:
    """Return the API with a key; guesses aren't counted, since the Redis that would is away."""
    nowhere = SecretStr(f"redis://127.0.0.1:{free_port()}")
    return make_app(
        replacements={"reader": Reader(Agreeable(), [])},
        api_keys=[KEY],
        redis_url=nowhere,
        rate_limit_on_failure="allow",
        **changes,
    )


def found(
    app: FastAPI, user: Headers, *, examples: int = 20, seed: int | None = None
) -> dict[str, str]:
    """Return what Schemathesis finds wrong; without a seed it's the same every time."""
    return schemathesis_failures(
        app, user, configuration=CONFIGURATION, examples=examples, seed=seed
    )


async def test_it_keeps_its_promises(make_app: MakeApp) -> None:
    """No request that Schemathesis makes up gets an answer that the document doesn't allow."""
    failures = await asyncio.to_thread(found, keyed(make_app), PROOF)
    assert not failures, listed(failures)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_it_keeps_them_without_compiled_routes(make_app: MakeApp) -> None:
    """With COMPILED_ROUTES=false FastAPI serves the requests, and keeps the same promises."""
    app = keyed(make_app, compiled_routes=False)
    failures = await asyncio.to_thread(found, app, PROOF, examples=1)
    assert not failures, listed(failures)


@pytest.mark.soak
async def test_it_keeps_its_promises_for_long(make_app: MakeApp) -> None:
    """The same with many more requests, other ones in every run."""
    seed = new_seed()
    failures = await asyncio.to_thread(found, keyed(make_app), PROOF, examples=400, seed=seed)
    assert not failures, f"seed {seed}\n{listed(failures)}"
