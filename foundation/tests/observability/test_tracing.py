"""What a trace shows: a request, the statements and calls that it waits for, and its lines."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

_PROGRAM = Path(__file__).with_name("traced.py")

Observed = tuple[list[dict[str, Any]], list[dict[str, Any]]]
"""The spans and the log lines, as JSON objects."""


def run(mode: str) -> Observed:
    """Return the spans and the log lines of three requests."""
    done = subprocess.run(
        [sys.executable, _PROGRAM, mode], check=True, timeout=60, capture_output=True
    )
    return json.loads(done.stdout), [json.loads(line) for line in done.stderr.splitlines()]


@pytest.fixture(scope="module")
def traced() -> Observed:
    """Give the spans and the log lines with OpenTelemetry on."""
    return run("traced")


def test_statements_and_calls_are_spans_of_the_request(traced: Observed) -> None:
    """One trace holds a request, its statement, its call, and what the other service does."""
    spans, _ = traced
    request = next(span for span in spans if span["name"] == "GET /asking/ask")
    own = [span for span in spans if span["trace"] == request["trace"]]
    statement = next(span for span in own if span["name"] == "SELECT")
    call = next(span for span in own if span["kind"] == "CLIENT" and span["name"] == "GET")
    answer = next(span for span in own if span["name"] == "GET /answer")
    assert statement["parent"] == call["parent"] == request["id"]
    assert answer["parent"] == call["id"]
    assert call["attributes"]["http.response.status_code"] == "200"
    assert statement["attributes"]["db.system.name"] == "sqlite"


def test_a_transaction_shows_its_begin_and_commit(traced: Observed) -> None:
    """What a request waits for in a transaction is all there, once."""
    spans, _ = traced
    request = next(span for span in spans if span["name"] == "GET /asking/write")
    names = [span["name"] for span in spans if span["parent"] == request["id"]]
    assert names == ["BEGIN", "SELECT", "COMMIT"]


def test_spans_hold_no_values(traced: Observed) -> None:
    """A failed statement is marked with its error's type; no value and no message goes out."""
    spans, _ = traced
    failed = next(
        span for span in spans if span["attributes"].get("error.type") and span["name"] == "SELECT"
    )
    assert (failed["status"], failed["attributes"]["error.type"]) == ("ERROR", "OperationalError")
    assert failed["events"] == []
    assert not any("hunter2" in json.dumps(span["attributes"]) for span in spans)


def test_log_lines_name_their_trace(traced: Observed) -> None:
    """A line of the code, and the access log's, lead to the request's trace and span."""
    spans, lines = traced
    request = next(span for span in spans if span["name"] == "GET /asking/ask")
    own = [line for line in lines if line.get("trace_id") == request["trace"]]
    assert [line["event"] for line in own if line["span_id"] == request["id"]] == [
        "asked",
        "request",
    ]


def test_off_leaves_no_trace() -> None:
    """Without OTEL_ENABLED there are no spans of requests and statements."""
    spans, _ = run("untraced")
    assert not [
        span for span in spans if span["kind"] == "SERVER" or "db.query.text" in span["attributes"]
    ]
