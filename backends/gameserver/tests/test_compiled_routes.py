"""The API does the same with its routes compiled as with COMPILED_ROUTES=false, byte for byte."""

from collections.abc import Callable
from pathlib import Path

import pytest
from fastapi import FastAPI
from pydantic import SecretStr

from bedplate.testing.mirrored import Mirrored, assert_mirrored, normalising
from bedplate.testing.processes import free_port
from gameserver_simulator.stand_ins.embedded import StandInURLs

Headers = dict[str, str]

CONFIGURATION = Path(__file__).parents[3] / "schemathesis.toml"

MEASURED = (
    r'"[a-z_]+_(bytes|percent|seconds)":(\[[^\]]*\]|[0-9.]+)',
    r'"(changed|ended|finished)_at":"[^"]+"',
    r'"at":(\[[^\]]*\]|"[^"]+")',
    r'"(pid|port|Port)":\d+',
    "/(plain|built)",
)
"""What the machine measures: sizes, times, processes, free ports; and the data directories."""


@pytest.fixture
def mirrored(
    make_app: Callable[..., FastAPI],
    served_stand_ins: StandInURLs,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Mirrored:
    """Give the API as FastAPI serves it, and compiled; each has a data directory of its own."""
    # Two games would never say the same at the same moment, so that there is none to install.
    nowhere = f"http://127.0.0.1:{free_port()}"
    monkeypatch.setattr("gameserver.simulator.command", lambda: None)

    def made(**options: object) -> FastAPI:
        return make_app(
            redis_url=SecretStr(nowhere.replace("http", "redis")),
            rate_limit_on_failure="allow",
            mod_database_url=served_stand_ins.mod_database,
            version_feed_url=f"{nowhere}/feed",
            stop_seconds=5,
            version_ready_seconds=5,
            mod_ready_seconds=5,
            **options,
        )

    return Mirrored(
        made(compiled_routes=False, data_directory=tmp_path / "plain"),
        made(compiled_routes=True, data_directory=tmp_path / "built"),
        # The settings name the data directory.
        normalise=normalising(*MEASURED, headers=["etag"]),
    )


async def test_compiled_routes_do_the_same(mirrored: Mirrored, admin: Headers) -> None:
    """Two thousand requests, generated and odd, have the same status, headers and bytes."""
    await assert_mirrored(
        mirrored,
        admin,
        configuration=CONFIGURATION,
        examples=1,
        requests=2000,
        binary=["application/zstd"],
    )
