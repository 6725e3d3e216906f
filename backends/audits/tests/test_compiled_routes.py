"""The API does the same with its routes compiled as with COMPILED_ROUTES=false, byte for byte."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from fastapi import FastAPI
from pydantic import SecretStr

from audits.insights.model import Question
from audits.insights.service import Reader
from audits.settings import AuditsKey, AuditsSettings
from bedplate.testing.mirrored import Mirrored, assert_mirrored, copy_sqlite
from bedplate.testing.processes import free_port

KEY = AuditsKey.parse("boss:admin:a-key")
PROOF = {"X-API-Key": "a-key"}

CONFIGURATION = Path(__file__).parents[3] / "schemathesis.toml"
SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


class Agreeable:
    """A language model that always answers: the requests are what is tried here."""

    async def answer(self, question: Question) -> str:
        """Return an answer of the shape that is asked for."""
        return '{"summary": "", "risk": "low", "anomalies": []}' if question.schema else "Yes."

    async def stream(self, question: Question) -> AsyncIterator[str]:
        """Yield the same answer in one part."""
        yield await self.answer(question)


@pytest.fixture
def mirrored(make_app: Callable[..., FastAPI], settings: AuditsSettings) -> Mirrored:
    """Give the API as FastAPI serves it, and compiled, without rate limits; each has a database."""
    copy = SecretStr(copy_sqlite(settings.database_url.get_secret_value()))
    nowhere = SecretStr(f"redis://127.0.0.1:{free_port()}")

    def made(**options: object) -> FastAPI:
        return make_app(
            replacements={"reader": Reader(Agreeable(), [])},
            api_keys=[KEY],
            redis_url=nowhere,
            rate_limit_on_failure="allow",
            **options,
        )

    return Mirrored(
        made(compiled_routes=False),
        made(compiled_routes=True, database_url=copy),
    )


@SQLITE
async def test_compiled_routes_do_the_same(mirrored: Mirrored) -> None:
    """Two thousand requests, generated and odd, have the same status, headers and bytes."""
    await assert_mirrored(mirrored, PROOF, configuration=CONFIGURATION, examples=5, requests=2000)


@pytest.mark.soak
@SQLITE
async def test_compiled_routes_do_the_same_for_long(mirrored: Mirrored) -> None:
    """The same with twenty thousand requests."""
    await assert_mirrored(mirrored, PROOF, configuration=CONFIGURATION, examples=200)
