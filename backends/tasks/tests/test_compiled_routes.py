"""The API does the same with its routes compiled as with COMPILED_ROUTES=false, byte for byte."""

from collections.abc import Callable
from pathlib import Path

import pytest
from fastapi import FastAPI
from pydantic import SecretStr

from bedplate.testing.mirrored import Mirrored, assert_mirrored, copy_sqlite
from bedplate.testing.processes import free_port
from tasks.settings import TasksSettings

Headers = dict[str, str]

CONFIGURATION = Path(__file__).parents[3] / "schemathesis.toml"
SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def mirrored(make_app: Callable[..., FastAPI], settings: TasksSettings, ada: Headers) -> Mirrored:
    """Give the API as FastAPI serves it, and compiled, without rate limits; each has a database."""
    copy = SecretStr(copy_sqlite(settings.database_url.get_secret_value()))
    nowhere = SecretStr(f"redis://127.0.0.1:{free_port()}")

    def made(**options: object) -> FastAPI:
        return make_app(redis_url=nowhere, rate_limit_on_failure="allow", **options)

    return Mirrored(made(compiled_routes=False), made(compiled_routes=True, database_url=copy))


@SQLITE
async def test_compiled_routes_do_the_same(mirrored: Mirrored, ada: Headers) -> None:
    """Two thousand requests, generated and odd, have the same status, headers and bytes."""
    await assert_mirrored(mirrored, ada, configuration=CONFIGURATION, examples=5, requests=2000)


@pytest.mark.soak
@SQLITE
async def test_compiled_routes_do_the_same_for_long(mirrored: Mirrored, ada: Headers) -> None:
    """The same with twenty thousand requests."""
    await assert_mirrored(mirrored, ada, configuration=CONFIGURATION, examples=200)
