"""A small contract that its tests bind, extend and break."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

Document = dict[str, Any]
Write = Callable[..., Path]


@pytest.fixture
def document() -> Document:
    """Give the contract of a shelf of books."""
    book = {"$ref": "#/components/schemas/Book"}
    return {
        "openapi": "3.1.0",
        "info": {"title": "Shelf", "version": "1.0.0"},
        "servers": [{"url": "https://shelf.example.com"}],
        "paths": {
            "/books": {
                "post": {
                    "operationId": "addBook",
                    "summary": "Add a book",
                    "description": "Stores a book.",
                    "requestBody": {
                        "required": True,
                        "content": {"application/json": {"schema": book}},
                    },
                    "responses": {
                        "201": {
                            "description": "Stored.",
                            "content": {"application/json": {"schema": book}},
                        }
                    },
                }
            },
            "/books/{bookId}": {
                "get": {
                    "operationId": "getBook",
                    "parameters": [
                        {
                            "name": "bookId",
                            "in": "path",
                            "required": True,
                            "schema": {"type": "integer"},
                        }
                    ],
                    "responses": {
                        "200": {
                            "description": "The book.",
                            "content": {"application/json": {"schema": book}},
                        }
                    },
                }
            },
        },
        "components": {
            "schemas": {
                "Book": {
                    "type": "object",
                    "properties": {
                        "pages": {"type": "integer"},
                        "title": {"type": "string"},
                        "next": {"$ref": "#/components/schemas/Book"},
                    },
                    "required": ["pages"],
                }
            }
        },
    }


@pytest.fixture
def overlay() -> Document:
    """Give an overlay that adds an error to every operation."""
    error = {"description": "The input is not valid."}
    return {
        "overlay": "1.0.0",
        "info": {"title": "Additions", "version": "1.0.0"},
        "actions": [{"target": "$.paths[*][*].responses", "update": {"400": error}}],
    }


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Give what writes a document to a YAML file: `write(document, "name.yaml")`."""

    def write(document: Document, name: str = "contract.yaml") -> Path:
        path = tmp_path / name
        path.write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")
        return path

    return write
