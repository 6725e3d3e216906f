"""Tests an API against its own OpenAPI document. Needs `schemathesis` (>= 4.32)."""

import secrets
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

import schemathesis
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import events, from_schema
from schemathesis.python.asgi import shutdown_lifespans
from schemathesis.schemas import BaseSchema
from starlette.types import ASGIApp

PHASES: Final = frozenset({"examples", "coverage", "fuzzing", "stateful"})
"""The phases in which Schemathesis generates requests; a run must go through all of them."""


def schemathesis_failures(
    app: ASGIApp,
    headers: Mapping[str, str],
    *,
    configuration: Path,
    examples: int = 20,
    seed: int | None = None,
    binary: Iterable[str] = (),
) -> dict[str, str]:
    """Return the failures that Schemathesis finds in all its phases, each kind once.

    It blocks, and runs the app's lifespan in threads of its own: call it in a thread.

    app             serves /openapi.json, without rate limits
    headers         credentials with all permissions
    configuration   a `schemathesis.toml`: what the OpenAPI document can't express
    examples        requests per operation and phase
    seed            without one the requests are the same every time; see `new_seed`
    binary          media types of bodies that are plain bytes, beside the well-known ones
    """
    for media_type in binary:
        schemathesis.serializer.alias(media_type, "application/octet-stream")
    config = SchemathesisConfig.from_path(configuration)
    config.update(seed=seed, max_failures=None)
    schema = schemathesis.openapi.from_asgi("/openapi.json", app, config=config)
    schema.config.update(headers=dict(headers))
    schema.config.generation.update(
        max_examples=examples, deterministic=seed is None, database="none"
    )
    schema.config.output.sanitization.update(enabled=False)
    try:
        return _failures_of(schema)
    finally:
        shutdown_lifespans()


def new_seed() -> int:
    """Return a random seed; print it when the run fails."""
    return secrets.randbelow(2**32)


def listed(failures: Mapping[str, str]) -> str:
    """Return the failures as text for a person."""
    return "\n\n".join(f"{name}\n{text}" for name, text in failures.items())


def _failures_of(schema: BaseSchema) -> dict[str, str]:
    failures: dict[str, str] = {}
    phases = set()
    for event in from_schema(schema).execute():
        if isinstance(event, events.ScenarioFinished):
            phases.add(event.phase.value)
            failures |= _failures_in(event)
        elif isinstance(event, events.NonFatalError | events.FatalError):
            failures[f"error {len(failures)}"] = str(event)
    for phase in PHASES - phases:
        failures[f"phase {phase}"] = "It did not run."
    return failures


def _failures_in(event: events.ScenarioFinished) -> dict[str, str]:
    """Return the failures of one scenario, with the request that reproduces each."""
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
