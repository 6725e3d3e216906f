"""The event loop of asynchronous tests: a plugin that is registered after anyio's own."""

import sys
from typing import Any

import pytest


@pytest.fixture(scope="session")
def anyio_backend() -> tuple[str, dict[str, Any]]:
    """Run asynchronous tests on asyncio with uvloop, as the server does (not on Windows)."""
    return "asyncio", {"use_uvloop": sys.platform != "win32"}
