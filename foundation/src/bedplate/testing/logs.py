"""The log entries a test causes, as the dicts that production renders as JSON."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

import structlog

from bedplate.observability.logs import EventDict, captured_events, configure_logging


@contextmanager
def captured_logs(level: str = "debug") -> Iterator[list[EventDict]]:
    """Yield a list that fills with every log entry from `level` on, in order.

    Entries of our own code and of the standard library's loggers look alike: `event`, `level`,
    `logger`, `timestamp`, what is bound to the context (`request_id`), and their own members;
    secrets are masked. Logging is configured meanwhile, and afterwards as it was before.
    """
    with _kept_configuration():
        configure_logging(json=True, level=level)
        with captured_events() as events:
            yield events


@contextmanager
def _kept_configuration() -> Iterator[None]:
    root = logging.getLogger()
    level, handlers = root.level, list(root.handlers)
    structlog_configuration = structlog.get_config()
    structlog_was_configured = structlog.is_configured()
    try:
        yield
    finally:
        root.setLevel(level)
        root.handlers[:] = handlers
        logging.captureWarnings(capture=False)
        if structlog_was_configured:
            structlog.configure(**structlog_configuration)
        else:
            structlog.reset_defaults()
