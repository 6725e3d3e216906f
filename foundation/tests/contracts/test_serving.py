"""A backend keeps a contract: handlers bound by id, documents served, errors shaped."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Annotated, Any

import httpx2
import pytest
from fastapi import Path as PathParameter
from prometheus_client import CollectorRegistry

from bedplate.application import create_app
from bedplate.backend import Backend
from bedplate.contracts import (
    Contract,
    ContractBinding,
    ContractError,
    ContractModel,
    Integer,
    Operations,
    ParameterInteger64,
    message_policy,
)
from bedplate.problems import NotFound
from bedplate.settings import Settings
from bedplate.testing.client import client

Document = dict[str, Any]
Write = Callable[..., Path]
BookId = Annotated[ParameterInteger64, PathParameter(alias="bookId")]


class Book(ContractModel):
    """A book."""

    pages: Integer


def shelf() -> Operations:
    """Return the handlers of the contract."""
    operations = Operations()

    @operations.handles("addBook")
    async def add_book(book: Book) -> Book:
        return book

    @operations.handles("getBook")
    async def get_book(book_id: BookId) -> Book:
        if book_id > 1:
            raise NotFound("No such book.")
        return Book(pages=book_id)

    return operations


def kept(binding: ContractBinding) -> Backend:
    """Return a backend that keeps a contract."""
    return Backend(
        name="shelf",
        title="Shelf",
        settings=Settings,
        problems=message_policy(),
        contract=binding,
    )


@pytest.fixture
async def caller(
    document: Document, overlay: Document, write: Write
) -> AsyncIterator[httpx2.AsyncClient]:
    """Give a client of the backend."""
    files = ContractBinding(write(document), shelf(), [write(overlay, "more.yaml")])
    settings = Settings(_env_file=None)
    app = create_app(kept(files), settings, registry=CollectorRegistry())
    async with client(app) as caller:
        yield caller


async def test_the_contract_is_served_as_published(
    caller: httpx2.AsyncClient, document: Document
) -> None:
    """The served document is the published one, member by member."""
    assert (await caller.get("/openapi.json")).json() == document


async def test_the_extended_document_has_the_additions(
    caller: httpx2.AsyncClient, document: Document, overlay: Document
) -> None:
    """The extended document is the contract with its overlay, and says where it is served."""
    served = (await caller.get("/openapi.extended.json")).json()
    expected = Contract(document, [overlay]).extended
    assert served["servers"][0]["url"] == "/"
    assert served["servers"][1:] == expected["servers"]
    assert served["paths"] == expected["paths"]


async def test_the_pages_show_the_extended_document(caller: httpx2.AsyncClient) -> None:
    """Both documentation pages read the extended document."""
    for path in ("/docs", "/redoc"):
        page = await caller.get(path)
        assert page.status_code == 200
        assert "/openapi.extended.json" in page.text


async def test_status_and_methods_are_the_contract_s(caller: httpx2.AsyncClient) -> None:
    """A handler answers with the status that its operation documents."""
    made = await caller.post("/books", json={"pages": 1.0})
    assert (made.status_code, made.json()) == (201, {"pages": 1})
    refused = await caller.delete("/books")
    assert (refused.status_code, refused.headers["Allow"]) == (405, "POST")


async def test_a_concrete_path_is_none_of_a_templated_one(document: Document, write: Write) -> None:
    """Whatever comes first in the document, a path answers with its own methods alone."""
    lookup = {**document["paths"]["/books"]["post"], "operationId": "lookUpBooks"}
    document["paths"]["/books/lookup"] = {"post": lookup}
    operations = shelf()
    operations.handles("lookUpBooks")(lookup_books)
    binding = ContractBinding(write(document), operations)
    app = create_app(kept(binding), Settings(_env_file=None), registry=CollectorRegistry())
    async with client(app) as caller:
        made = await caller.post("/books/lookup", json={"pages": 3})
        assert (made.status_code, made.json()) == (201, {"pages": 3})
        for method in ("GET", "HEAD", "PUT", "PROPFIND"):
            refused = await caller.request(method, "/books/lookup")
            assert (refused.status_code, refused.headers["Allow"]) == (405, "POST")
        other = await caller.post("/books/1")
        assert (other.status_code, other.headers["Allow"]) == (405, "GET, HEAD")


async def lookup_books(book: Book) -> Book:
    """Handle an operation."""
    return book


@pytest.mark.parametrize(
    ("path", "body", "status", "message"),
    [
        ("/books", {"pages": True}, 400, "pages: Input should be a valid integer."),
        ("/books", {}, 400, "pages: Field required."),
        ("/books/2", None, 404, "No such book."),
        ("/books/true", None, 400, "bookId: Input should be a valid integer."),
        ("/nowhere", None, 404, "Not Found"),
        ("/books/1/", None, 404, "Not Found"),
    ],
)
async def test_every_error_is_a_message(
    path: str, body: object, status: int, message: str, caller: httpx2.AsyncClient
) -> None:
    """Refused input, unknown objects and unknown paths answer with the contract's shape."""
    method = "GET" if body is None else "POST"
    answer = await caller.request(method, path, json=body)
    assert (answer.status_code, answer.json()) == (status, {"message": message})


def test_a_missing_handler_fails_the_start(document: Document, write: Write) -> None:
    """An operation without a handler, and a handler without an operation, are named."""
    bare = kept(ContractBinding(write(document), Operations()))
    with pytest.raises(ContractError, match="no handler for addBook, getBook"):
        create_app(bare, Settings(_env_file=None), registry=CollectorRegistry())
    del document["paths"]["/books"]
    more = kept(ContractBinding(write(document), shelf()))
    with pytest.raises(ContractError, match="no operation addBook"):
        create_app(more, Settings(_env_file=None), registry=CollectorRegistry())


def test_one_operation_has_one_handler() -> None:
    """A second handler of the same operation is refused where it is written."""
    with pytest.raises(ContractError, match="addBook has two handlers"):
        shelf().handles("addBook")(lambda: None)
