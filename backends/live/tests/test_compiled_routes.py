"""The API does the same with its routes compiled as with COMPILED_ROUTES=false, byte for byte."""

from collections.abc import Callable
from pathlib import Path

import pytest
from fastapi import FastAPI
from pydantic import SecretStr

from bedplate import clock, ids
from bedplate.database import Database
from bedplate.testing.mirrored import Mirrored, assert_mirrored, copy_sqlite
from bedplate.testing.processes import free_port
from live import security
from live.sessions import repository
from live.settings import LiveSettings

Headers = dict[str, str]

CONFIGURATION = Path(__file__).parents[3] / "schemathesis.toml"
TOKEN = "h_0123456789abcdef"
SQLITE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
async def host(database: Database) -> Headers:
    """Give the header of a host's token, which opens all sessions that it makes."""
    async with database.write() as session:
        await repository.add_token(
            session, ids.uuid(), security.hash_of(TOKEN), role=security.HOST, host=ids.uuid(),
            session_id=None, label="host", now=clock.now(),
        )  # fmt: skip
    return {"Authorization": f"Bearer {TOKEN}"}


@pytest.fixture
def mirrored(make_app: Callable[..., FastAPI], settings: LiveSettings, host: Headers) -> Mirrored:
    """Give the API as FastAPI serves it, and compiled, without rate limits; each has a database."""
    copy = SecretStr(copy_sqlite(settings.database_url.get_secret_value()))
    nowhere = SecretStr(f"redis://127.0.0.1:{free_port()}")

    def made(**options: object) -> FastAPI:
        return make_app(redis_url=nowhere, rate_limit_on_failure="allow", **options)

    return Mirrored(made(compiled_routes=False), made(compiled_routes=True, database_url=copy))


@SQLITE
async def test_compiled_routes_do_the_same(mirrored: Mirrored, host: Headers) -> None:
    """Two thousand requests, generated and odd, have the same status, headers and bytes."""
    await assert_mirrored(mirrored, host, configuration=CONFIGURATION, examples=5, requests=2000)


@pytest.mark.soak
@SQLITE
async def test_compiled_routes_do_the_same_for_long(mirrored: Mirrored, host: Headers) -> None:
    """The same with twenty thousand requests."""
    await assert_mirrored(mirrored, host, configuration=CONFIGURATION, examples=200)
