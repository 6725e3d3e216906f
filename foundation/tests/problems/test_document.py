"""The problem document by itself: its members, and how it is written."""

import json
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from fastapi import FastAPI
from hypothesis import given
from hypothesis import strategies as st
from starlette.requests import Request
from starlette.responses import JSONResponse

from bedplate.problems import (
    MEDIA_TYPE,
    Conflict,
    InvalidInput,
    NotFound,
    Problem,
    ProblemError,
    ProblemPolicy,
    TooManyRequests,
    install_problems,
    problem_response,
)
from bedplate.testing.clock import SettableClock


def _scope(policy: ProblemPolicy | None = None, **members: Any) -> dict[str, Any]:
    app = FastAPI()
    if policy is not None:
        install_problems(app, policy)
    return {"type": "http", "app": app, "path": "/notes/1", "raw_path": b"/notes/1", **members}


def _document(error: ProblemError, scope: dict[str, Any] | None = None) -> dict[str, Any]:
    response = problem_response(scope or _scope(), error)
    assert response.headers["content-type"] == MEDIA_TYPE
    document: dict[str, Any] = json.loads(bytes(response.body))
    assert document["status"] == response.status_code
    return document


def test_a_document_has_its_members_in_their_order(clock: SettableClock) -> None:
    """What a person looks for first stands first."""
    clock.set(datetime(2026, 11, 21, 13, tzinfo=timezone(timedelta(hours=1))))
    scope = _scope(state={"request_id": "abc"})
    document = _document(NotFound("There is no note 1.", hint="Ask for another."), scope)
    assert list(document.items()) == [
        ("type", "about:blank"),
        ("title", "Not Found"),
        ("status", 404),
        ("detail", "There is no note 1."),
        ("instance", "/notes/1"),
        ("code", "not_found"),
        ("timestamp", "2026-11-21T12:00:00Z"),
        ("request_id", "abc"),
        ("hint", "Ask for another."),
    ]


def test_a_pure_asgi_layer_needs_no_application() -> None:
    """A layer outside of everything has a scope without `app`, `state` or `raw_path`."""
    document = _document(Conflict(), {"type": "http", "path": "/a b/50%"})
    assert document["instance"] == "/a%20b/50%25"
    assert "request_id" not in document


def test_an_error_without_detail_says_its_title() -> None:
    """With `about:blank` the title is the status's, so the error's own isn't lost."""

    class NoteLocked(Conflict):
        title = "Note Locked"

    document = _document(NoteLocked())
    assert (document["title"], document["detail"]) == ("Conflict", "Note Locked")


def test_a_type_leads_to_the_page_of_the_error() -> None:
    """And the title is the error's own then (RFC 9457, section 4.2.1)."""

    class NoteLocked(Conflict):
        code = "note_locked"
        title = "Note Locked"

    policy = ProblemPolicy(type_uri="https://notes.example/errors#{code}")
    document = _document(NoteLocked(), _scope(policy))
    assert document["type"] == "https://notes.example/errors#note_locked"
    assert document["title"] == "Note Locked"


@pytest.mark.parametrize("status", [400, 422])
def test_the_policy_decides_on_the_status_of_refused_input(status: int) -> None:
    """The title follows it."""
    document = _document(InvalidInput([]), _scope(ProblemPolicy(validation_status=status)))
    assert document["status"] == status
    assert document["title"] == {400: "Bad Request", 422: "Unprocessable Content"}[status]


def test_a_backend_may_render_errors_its_own_way() -> None:
    """A published contract has its own shape; the seam gets the scope and the error."""

    def render(scope: Any, error: ProblemError) -> JSONResponse:
        return JSONResponse({"error": error.code, "path": scope["path"]}, error.status)

    response = problem_response(_scope(ProblemPolicy(render=render)), NotFound())
    assert json.loads(bytes(response.body)) == {"error": "not_found", "path": "/notes/1"}


def test_the_access_log_learns_the_code() -> None:
    """It finds it in the state of the request."""
    scope = _scope()
    problem_response(scope, NotFound())
    assert Request(scope).state.problem == "not_found"


def test_headers_of_the_error_go_out_and_no_cache_keeps_it() -> None:
    """Unless the error says otherwise about caching."""
    response = problem_response(_scope(), TooManyRequests("Slowly.", retry_after=3))
    assert response.headers["retry-after"] == "3"
    assert response.headers["cache-control"] == "no-store"
    cached = NotFound(headers={"Cache-Control": "max-age=60"})
    assert problem_response(_scope(), cached).headers["cache-control"] == "max-age=60"


@pytest.mark.parametrize(
    ("raw", "instance"),
    [
        (b"/notes/1?token=secret", "/notes/1"),
        (b"/caf%C3%A9", "/caf%C3%A9"),
        (b"/caf\xe9<script>", "/caf%E9%3Cscript%3E"),
        (b"/" + b"a" * 3000, None),
    ],
)
def test_the_instance_is_the_path_as_a_uri_reference(raw: bytes, instance: str | None) -> None:
    """Without the query, which may hold secrets; whatever bytes came; not without bound."""
    document = _document(NotFound(), _scope(raw_path=raw))
    assert document.get("instance") == instance


def test_the_instance_is_left_out_where_the_path_was_refused() -> None:
    """The refused value stands in it."""
    assert "instance" not in _document(InvalidInput([], in_path=True))


@pytest.mark.parametrize("member", [float("nan"), {(1, 2): 3}, {"a": [float("inf")]}])
def test_a_member_that_json_cannot_hold_is_left_out(member: object) -> None:
    """An error about an error helps nobody."""
    document = _document(Conflict("Because.", extra=member))
    assert document["detail"] == "Because."
    assert "extra" not in document


_TEXT = st.text(st.characters(), max_size=20)


@given(_TEXT, st.dictionaries(_TEXT, _TEXT | st.floats() | st.integers()))
def test_a_document_is_ascii_and_strict_json_whatever_is_in_it(
    detail: str, member: dict[str, Any]
) -> None:
    """Surrogates and all: every parser in the world reads it, and the schema holds."""
    response = problem_response(_scope(), Conflict(detail, member=member))
    text = bytes(response.body).decode("ascii")

    def refuse(constant: str) -> None:
        raise AssertionError(constant)

    Problem.model_validate(json.loads(text, parse_constant=refuse))
