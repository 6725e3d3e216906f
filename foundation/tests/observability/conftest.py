"""Logging is one for the process: each test here gives it back as it was."""

import io
import json
import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import structlog

from bedplate.observability.logs import configure_logging

Logged = Callable[[], list[dict[str, Any]]]


@pytest.fixture
def own_logging() -> Iterator[None]:
    """Let a test configure logging as it likes."""
    root = logging.getLogger()
    level, handlers = root.level, list(root.handlers)
    # A server that ran in this process has set the level of its logger.
    server = logging.getLogger("uvicorn.error")
    server_level = server.level
    server.setLevel(logging.NOTSET)
    yield
    server.setLevel(server_level)
    root.setLevel(level)
    root.handlers[:] = handlers
    logging.captureWarnings(capture=False)
    structlog.reset_defaults()


@pytest.fixture
def logged(own_logging: None) -> Logged:
    """Configure JSON logs, and give what returns the lines written so far."""
    stream = io.StringIO()
    configure_logging(json=True, level="debug", stream=stream)
    return lambda: [json.loads(line) for line in stream.getvalue().splitlines()]


@pytest.fixture
def pretty(own_logging: None) -> Callable[[], str]:
    """Configure logs for a person, and give what returns the text written so far."""
    stream = io.StringIO()
    configure_logging(json=False, level="debug", stream=stream)
    return stream.getvalue
