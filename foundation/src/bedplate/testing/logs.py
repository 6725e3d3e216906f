"""Captures the log entries of a test, as the dicts that production renders as JSON."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

import structlog

from bedplate.observability.logs import EventDict, configure_logging


@contextmanager
def captured_logs(level: str = "debug") -> Iterator[list[EventDict]]:
    """Yield a list to which every log entry of at least `level` is appended, in order.

    Entries of structlog and of the standard library look alike, with context variables
    (`request_id`); secrets are masked. Afterwards the configuration of logging is as it was.
    """
    root = logging.getLogger()
    root_level, handlers = root.level, list(root.handlers)
    structlog_configuration = structlog.get_config()
    structlog_was_configured = structlog.is_configured()
    try:
        events: list[EventDict] = []
        with configure_logging(json=True, level=level).listening(events.append):
            yield events
    finally:
        root.setLevel(root_level)
        root.handlers[:] = handlers
        logging.captureWarnings(capture=False)
        if structlog_was_configured:
            structlog.configure(**structlog_configuration)
        else:
            structlog.reset_defaults()
