"""Log entries, captured as production would render them."""

import logging

import structlog

from bedplate.testing.logs import captured_logs


def test_an_exception_is_captured_with_its_traceback() -> None:
    """Tests can ask what an operator would see."""
    with captured_logs() as entries:
        try:
            _ = 1 / 0
        except ZeroDivisionError:
            logging.getLogger("job").exception("failed")
    assert entries[0]["level"] == "error"
    assert "ZeroDivisionError" in entries[0]["exception"]


def test_a_level_keeps_lesser_entries_out() -> None:
    """What production would not write is not there."""
    with captured_logs(level="warning") as entries:
        structlog.get_logger("a").info("small")
        structlog.get_logger("a").warning("large")
    assert [entry["event"] for entry in entries] == ["large"]


def test_logging_is_configured_afterwards_as_before() -> None:
    """One test's capture does not change the next test."""
    root = logging.getLogger()
    before = (root.level, list(root.handlers), structlog.get_config(), logging.lastResort)
    with captured_logs():
        pass
    assert (root.level, root.handlers, structlog.get_config(), logging.lastResort) == before
