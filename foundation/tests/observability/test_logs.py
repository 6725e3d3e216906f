"""One form for every line, whoever writes it."""

import io
import json
import logging
import warnings
from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
import structlog

from bedplate.observability.logs import EventDict, configure_logging, write_event

Logged = Callable[[], list[dict[str, Any]]]


def test_own_line(logged: Logged) -> None:
    """A structlog line is one JSON object with time, level, logger and its members."""
    structlog.get_logger("shop").info("sold", item=5)
    [line] = logged()
    assert datetime.fromisoformat(line.pop("timestamp")).utcoffset() is not None
    assert line == {"event": "sold", "item": 5, "level": "info", "logger": "shop"}


def test_library_line(logged: Logged) -> None:
    """A line of the standard library has the same form, with its arguments and extras."""
    logging.getLogger("library").warning("took %d ms", 12, extra={"query": "select"})
    [line] = logged()
    del line["timestamp"]
    assert line == {
        "event": "took 12 ms",
        "query": "select",
        "level": "warning",
        "logger": "library",
    }


def test_context(logged: Logged) -> None:
    """What is bound to the context is in both kinds of lines."""
    with structlog.contextvars.bound_contextvars(request_id="mine"):
        structlog.get_logger("shop").info("one")
        logging.getLogger("library").info("two")
    assert [line["request_id"] for line in logged()] == ["mine", "mine"]


def test_server_lines(logged: Logged) -> None:
    """Uvicorn's lines come out in the same form; its access lines, which have queries, don't."""
    logging.getLogger("uvicorn.error").info("Started")
    logging.getLogger("uvicorn.access").info('"GET /?token=abc"')
    assert [line["event"] for line in logged()] == ["Started"]


def test_requests_of_http_clients(logged: Logged) -> None:
    """HTTP clients don't log the URLs they call, where tokens may be."""
    logging.getLogger("httpx2").info("HTTP Request: GET https://x/?token=abc")
    assert logged() == []


@pytest.mark.filterwarnings("default")
def test_warnings(logged: Logged) -> None:
    """Python's warnings are lines, too."""
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        logging.captureWarnings(capture=True)
        warnings.warn("old", DeprecationWarning, stacklevel=1)
    assert "DeprecationWarning: old" in logged()[0]["event"]


def test_traceback_has_no_values(logged: Logged) -> None:
    """A traceback names the error, and no values of local variables."""

    def fail() -> None:
        password = "hunter" + "2"
        raise ValueError(len(password))

    try:
        fail()
    except ValueError:
        structlog.get_logger("shop").exception("failed")
        logging.getLogger("library").exception("failed")
    for line in logged():
        assert "ValueError: 7" in line["exception"]
        assert "hunter2" not in line["exception"]


def test_level(own_logging: None) -> None:
    """Lines below the level aren't written."""
    stream = io.StringIO()
    configure_logging(json=True, level="warning", stream=stream)
    structlog.get_logger("shop").info("no")
    logging.getLogger("asyncio").info("no")
    structlog.get_logger("shop").warning("yes")
    assert [json.loads(line)["event"] for line in stream.getvalue().splitlines()] == ["yes"]


def test_unknown_level(own_logging: None) -> None:
    """A level that doesn't exist is refused."""
    with pytest.raises(ValueError, match="LOUD"):
        configure_logging(json=True, level="loud")


def test_configured_twice(own_logging: None) -> None:
    """The last configuration counts, and no line is written twice."""
    first, second = io.StringIO(), io.StringIO()
    logger = structlog.get_logger("shop")
    configure_logging(json=True, stream=first)
    logger.info("one")
    configure_logging(json=True, stream=second)
    configure_logging(json=True, stream=second)
    logger.info("two")
    assert json.loads(first.getvalue())["event"] == "one"
    assert json.loads(second.getvalue())["event"] == "two"


def test_standard_error_is_the_default(
    own_logging: None, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without a stream, lines go to standard error, so that a command's output stays its own."""
    configure_logging(json=True)
    structlog.get_logger("shop").info("here")
    captured = capsys.readouterr()
    assert (captured.out, json.loads(captured.err)["event"]) == ("", "here")


def test_broken_stream(own_logging: None) -> None:
    """A stream that can't be written breaks nothing."""
    stream = io.StringIO()
    configure_logging(json=True, stream=stream)
    stream.close()
    write_event(logging.getLogger("shop"), logging.INFO, {"event": "lost"})


def test_unconfigured_event(own_logging: None, caplog: pytest.LogCaptureFixture) -> None:
    """Before logging is configured, a complete event goes to the standard library's loggers."""
    logging.getLogger().handlers[:] = [caplog.handler]
    with caplog.at_level(logging.INFO):
        write_event(logging.getLogger("shop"), logging.INFO, {"event": "sold", "item": 5})
    assert [(record.message, record.__dict__["item"]) for record in caplog.records] == [("sold", 5)]


def test_a_listener_gets_every_event(own_logging: None) -> None:
    """Every kind of line reaches it as a dict, while it is written all the same."""
    events: list[EventDict] = []
    stream = io.StringIO()
    with configure_logging(json=True, level="debug", stream=stream).listening(events.append):
        structlog.get_logger("shop").info("one")
        logging.getLogger("library").info("two")
        write_event(logging.getLogger("shop"), logging.INFO, {"event": "three"})
    structlog.get_logger("shop").info("four")
    lines = [json.loads(line)["event"] for line in stream.getvalue().splitlines()]
    assert [event["event"] for event in events] == ["one", "two", "three"]
    assert lines == ["one", "two", "three", "four"]
