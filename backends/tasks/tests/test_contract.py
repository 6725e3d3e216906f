"""The API keeps what its own OpenAPI document promises, says Schemathesis with all its checks."""

import asyncio
import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest
import schemathesis
from fastapi import FastAPI
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import events, from_schema
from schemathesis.python.asgi import shutdown_lifespans

Headers = dict[str, str]

CONFIGURATION = Path(__file__).parents[3] / "schemathesis.toml"
PHASES = {"examples", "coverage", "fuzzing", "stateful"}


@pytest.fixture
def served_app(app_without_limits: FastAPI) -> Iterator[FastAPI]:
    """Give the API without rate limits; Schemathesis begins its lifespan, this ends it."""
    yield app_without_limits
    shutdown_lifespans()


def found(app: FastAPI, user: Headers, *, examples: int, seed: int | None = None) -> dict[str, str]:
    """Return what Schemathesis finds wrong in all its phases, each kind once.

    Without a seed it makes up the same requests every time.
    """
    config = SchemathesisConfig.from_path(CONFIGURATION)
    config.update(seed=seed, max_failures=None)
    schema = schemathesis.openapi.from_asgi("/openapi.json", app, config=config)
    schema.config.update(headers=user)
    schema.config.generation.update(
        max_examples=examples, deterministic=seed is None, database="none"
    )
    schema.config.output.sanitization.update(enabled=False)
    failures: dict[str, str] = {}
    phases = set()
    for event in from_schema(schema).execute():
        if isinstance(event, events.ScenarioFinished):
            phases.add(event.phase.value)
            failures |= failures_of(event)
        elif isinstance(event, events.NonFatalError | events.FatalError):
            failures[f"error {len(failures)}"] = str(event)
    assert phases >= PHASES
    return failures


def failures_of(event: events.ScenarioFinished) -> dict[str, str]:
    """Return the failures of one scenario, with the request that repeats them and its answer."""
    failures = {}
    for case_id, checks in event.recorder.checks.items():
        for check in checks:
            if check.failure_info is not None:
                failure = check.failure_info.failure
                response = event.recorder.interactions[case_id].response
                answer = response and f"{response.status_code} {response.content!r}"
                failures[f"{event.label}: {failure.title}"] = (
                    f"{failure.message}\n{check.failure_info.code_sample}\n{answer}"
                )
    return failures


def listed(failures: dict[str, str]) -> str:
    """Return the failures as a person reads them."""
    return "\n\n".join(f"{name}\n{text}" for name, text in failures.items())


async def test_it_keeps_its_promises(served_app: FastAPI, ada: Headers) -> None:
    """No request that Schemathesis makes up gets an answer that the document doesn't allow."""
    failures = await asyncio.to_thread(found, served_app, ada, examples=20)
    assert not failures, listed(failures)


@pytest.mark.soak
async def test_it_keeps_its_promises_for_long(served_app: FastAPI, ada: Headers) -> None:
    """The same with many more requests, other ones in every run."""
    seed = secrets.randbelow(2**32)
    failures = await asyncio.to_thread(found, served_app, ada, examples=400, seed=seed)
    assert not failures, f"seed {seed}\n{listed(failures)}"
