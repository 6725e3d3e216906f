"""Requests and answers are judged by the contract alone."""

from typing import Annotated, Any

import pytest
from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from bedplate.contracts import Contract, ContractModel
from bedplate.contracts.conformance import Conformance, drift

Document = dict[str, Any]
JSON = "application/json"


class Book(ContractModel):
    """A book."""

    pages: int


def test_what_keeps_the_contract_passes(document: Document) -> None:
    """A good request and a good answer have nothing wrong with them."""
    conformance = Conformance(document)
    assert not conformance.request("POST", "/books", body=b'{"pages": 1.0, "next": {"pages": 2}}')
    assert not conformance.request("GET", "/books/7")
    assert not conformance.response(
        "GET", "/books/7", 200, f"{JSON}; charset=utf-8", b'{"pages":1}'
    )


def test_a_concrete_path_comes_before_a_templated_one(document: Document) -> None:
    """A method that only the templated path knows is no operation of the concrete one."""
    document["paths"]["/books/lookup"] = {"post": {"operationId": "lookUpBooks", "responses": {}}}
    conformance = Conformance(document)
    found = conformance.operation("POST", "/books/lookup")
    assert found is not None
    assert found.operation_id == "lookUpBooks"
    assert conformance.operation("GET", "/books/lookup") is None


@pytest.mark.parametrize(
    ("method", "path", "body", "violation"),
    [
        ("POST", "/books", b'{"pages": true}', "body.pages: True is not of type 'integer'"),
        ("POST", "/books", b'{"pages": 1, "next": {}}', "body.next: 'pages' is a required"),
        ("POST", "/books", b"{", "not JSON"),
        ("POST", "/books", None, "body is missing"),
        ("GET", "/books/x", None, "bookId: 'x' is not of type 'integer'"),
        ("GET", "/shelves", None, "is no operation"),
    ],
)
def test_bad_requests_are_found(
    method: str, path: str, body: bytes | None, violation: str, document: Document
) -> None:
    """Each way to break the contract with a request is named."""
    (found,) = Conformance(document).request(method, path, body=body)
    assert violation in found


@pytest.mark.parametrize(
    ("status", "content_type", "body", "violation"),
    [
        (200, JSON, b'{"pages": null}', "None is not of type 'integer'"),
        (200, JSON, b'{"pages": 1, "title": null}', "None is not of type 'string'"),
        (200, "text/plain", b"1", "documents no text/plain"),
        (200, None, b"1", "documents no missing content type"),
        (404, JSON, b"{}", "documents no such status"),
    ],
)
def test_bad_answers_are_found(
    status: int, content_type: str | None, body: bytes, violation: str, document: Document
) -> None:
    """Each way to break the contract with an answer is named."""
    (found,) = Conformance(document).response("GET", "/books/1", status, content_type, body)
    assert violation in found


def test_handlers_that_drift_are_named(document: Document) -> None:
    """A handler whose parameters, body or answer aren't the contract's is named."""
    app = FastAPI()

    @app.post("/books", operation_id="addBook")
    async def add_book(book: Book) -> Book:
        return book

    @app.get("/books/{bookId}", operation_id="getBook")
    async def get_book(bookId: int, shelf: Annotated[int, ...] = 1) -> list[Book]:  # noqa: N803
        return [Book(pages=bookId * shelf)]

    made = get_openapi(title="", version="", routes=app.routes)
    responses = made["paths"]["/books"]["post"]["responses"]
    responses["201"] = responses.pop("200")
    found = drift(Contract(document), made)
    assert [item.partition(":")[0] for item in found] == ["getBook", "getBook"]
    assert "query shelf" in found[0]
    assert "list of Book" in found[1]
