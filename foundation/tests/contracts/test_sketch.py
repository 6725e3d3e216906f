"""Handlers to begin with."""

import ast
from typing import Annotated, Any

import pytest
from fastapi import Cookie, FastAPI, Header, Path, Query
from fastapi.openapi.utils import get_openapi

from bedplate.contracts import Contract, ContractModel, Operations, ParameterInteger64
from bedplate.contracts.conformance import drift
from bedplate.contracts.sketch import sketch_handlers

Document = dict[str, Any]


class Book(ContractModel):
    """A book, as the models of the contract would have it."""

    pages: int


NAMES = {
    "Annotated": Annotated,
    "Any": Any,
    "Book": Book,
    "Cookie": Cookie,
    "Header": Header,
    "ParameterInteger64": ParameterInteger64,
    "Path": Path,
    "Query": Query,
}


@pytest.fixture
def contract(document: Document) -> Contract:
    """Give the shelf with every kind of parameter, a list and an empty answer."""
    book = {"$ref": "#/components/schemas/Book"}
    document["paths"]["/books"]["get"] = {
        "operationId": "listBooks",
        "summary": "List books.",
        "parameters": [
            {"name": "maxPages", "in": "query", "schema": {"type": "integer"}},
            {"name": "q", "in": "query", "required": True, "schema": {"type": "string"}},
            {"name": "X-Shelf", "in": "header", "schema": {"type": "string"}},
            {"name": "seen", "in": "cookie", "schema": {"type": "boolean"}},
        ],
        "responses": {
            "200": {
                "description": "Books.",
                "content": {"application/json": {"schema": {"type": "array", "items": book}}},
            }
        },
    }
    document["paths"]["/books/{bookId}"]["delete"] = {
        "operationId": "removeBook",
        "parameters": document["paths"]["/books/{bookId}"]["get"]["parameters"],
        "responses": {"204": {"description": "Gone."}},
    }
    document["paths"]["/books"]["put"] = {
        "operationId": "replaceBooks",
        "requestBody": {
            "content": {"application/json": {"schema": {"type": "array", "items": book}}}
        },
        "responses": {
            "200": {
                "description": "Anything.",
                "content": {"application/json": {"schema": {"type": "object"}}},
            }
        },
    }
    return Contract(document)


def test_handlers_fit_the_contract_at_once(contract: Contract) -> None:
    """Bound as they are printed, they differ from the contract in nothing."""
    operations = Operations()
    source = sketch_handlers(contract, contract.operations)
    exec(compile(source, "sketch", "exec"), {**NAMES, "operations": operations})
    app = FastAPI()
    operations.add_to(app.router, contract)
    assert drift(contract, get_openapi(title="", version="", routes=app.routes)) == []


def test_only_what_is_missing_is_printed(contract: Contract) -> None:
    """In the order of the contract; nothing when nothing is."""
    operations = Operations()
    operations.handles("addBook")(lambda: None)
    missing = operations.missing(contract)
    assert missing == ["listBooks", "replaceBooks", "getBook", "removeBook"]
    functions = ast.parse(sketch_handlers(contract, missing)).body
    assert [
        function.name for function in functions if isinstance(function, ast.AsyncFunctionDef)
    ] == [
        "list_books",
        "replace_books",
        "get_book",
        "remove_book",
    ]
    assert sketch_handlers(contract, []) == ""
