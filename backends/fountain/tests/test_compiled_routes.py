"""Each service does the same with its routes compiled as with COMPILED_ROUTES=false."""

import importlib
from collections.abc import Callable
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry
from pydantic import SecretStr
from starlette.types import ASGIApp

from bedplate.composition import compose
from bedplate.settings import Settings
from bedplate.testing.mirrored import Mirrored, assert_mirrored, copy_sqlite

CONFIGURATION = Path(__file__).parents[3] / "schemathesis.toml"
SQLITE = pytest.mark.parametrize("url_of", ["sqlite"], indirect=True)
NEEDED = {
    "central-sequence": ["central-sequence"],
    "characters": ["characters"],
    "scripts": ["central-sequence", "scripts"],
    "session-context": ["central-sequence", "session-context"],
    "story-factory": [
        "central-sequence", "characters", "scripts", "session-context", "story-factory",
    ],
}  # fmt: skip
"""Each service, with those that have to run for it to answer."""


@pytest.fixture
def mirrored(
    name: str,
    settings_of: Callable[..., Settings],
    written_story: object,
    alone: Callable[..., ASGIApp],
) -> Mirrored:
    """Give a service as FastAPI serves it, and compiled; each has databases of its own."""
    backends = [
        importlib.import_module(f"fountain.{each.replace('-', '_')}.backend").backend
        for each in NEEDED[name]
    ]

    def made(*, compiled: bool) -> ASGIApp:
        settings = {}
        for each in NEEDED[name]:
            changes: dict[str, object] = {"compiled_routes": compiled}
            url = getattr(settings_of(each), "database_url", None)
            if compiled and url is not None:
                changes["database_url"] = SecretStr(copy_sqlite(url.get_secret_value()))
            settings[each] = settings_of(each, **changes)
        app: ASGIApp = alone(compose(backends, settings, registry=CollectorRegistry()), name)
        return app

    return Mirrored(made(compiled=False), made(compiled=True))


@SQLITE
@pytest.mark.parametrize("name", NEEDED)
async def test_compiled_routes_do_the_same(mirrored: Mirrored) -> None:
    """Two thousand requests, generated and odd, have the same status, headers and bytes."""
    await assert_mirrored(mirrored, {}, configuration=CONFIGURATION, examples=5, requests=2000)


@pytest.mark.soak
@SQLITE
@pytest.mark.parametrize("name", NEEDED)
async def test_compiled_routes_do_the_same_for_long(mirrored: Mirrored) -> None:
    """The same with twenty thousand requests."""
    await assert_mirrored(mirrored, {}, configuration=CONFIGURATION, examples=200)
