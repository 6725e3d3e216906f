"""Broken promises of an API are found."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from fastapi import FastAPI, Response

from bedplate.testing.contracts import listed, new_seed, schemathesis_failures


@pytest.fixture
def configuration(tmp_path: Path) -> Path:
    """Give a configuration that says nothing."""
    path = tmp_path / "schemathesis.toml"
    path.write_text("")
    return path


async def test_a_status_that_is_not_documented_is_found(configuration: Path) -> None:
    """With the request that repeats it; the lifespan ran, and is over."""
    states = []

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        states.append("open")
        yield
        states.append("closed")

    app = FastAPI(lifespan=lifespan)

    @app.get("/notes")
    async def notes(number: int) -> Response:
        return Response(status_code=418 if number else 200)

    failures = await asyncio.to_thread(
        schemathesis_failures, app, {}, configuration=configuration, examples=3, seed=new_seed()
    )
    assert "curl -X GET" in failures["GET /notes: Undocumented status code"]
    assert "GET /notes: Undocumented status code" in listed(failures)
    assert (states[0], states[-1]) == ("open", "closed")


def test_a_phase_that_did_not_run_is_a_failure(configuration: Path) -> None:
    """A configuration that switches one off, or a version without it, finds nothing by silence."""
    configuration.write_text("[phases.fuzzing]\nenabled = false\n")
    app = FastAPI()

    @app.get("/notes")
    async def notes(number: int) -> int:
        return number

    failures = schemathesis_failures(app, {}, configuration=configuration, examples=1)
    assert failures["phase fuzzing"] == "It did not run."
    assert "phase coverage" not in failures
