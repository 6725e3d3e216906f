"""The event loop of asynchronous tests, as a plugin that is registered after anyio's own."""

import sys
from typing import Any

import pytest


@pytest.fixture(scope="session")
def anyio_backend() -> tuple[str, dict[str, Any]]:
    """Run asynchronous tests on asyncio, with uvloop where there is one, as the server does."""
    return "asyncio", {"use_uvloop": sys.platform != "win32"}
