"""Models are made from a contract, and are as strict as it is."""

from typing import Any

import pytest
from pydantic import ValidationError

from bedplate.contracts import Contract
from bedplate.contracts.generation import generate_models

Document = dict[str, Any]


@pytest.fixture(scope="module")
def book() -> Any:
    """Give the model of a book, made from its schema."""
    schema = {
        "type": "object",
        "properties": {
            "pageCount": {"type": "integer", "maximum": 9},
            "title": {"type": "string"},
            "read": {"type": "boolean"},
        },
        "required": ["pageCount"],
    }
    document = {
        "openapi": "3.1.0",
        "info": {"title": "Shelf", "version": "1"},
        "paths": {},
        "components": {"schemas": {"Book": schema}},
    }
    namespace: dict[str, Any] = {}
    exec(generate_models(Contract(document), "shelf"), namespace)
    return namespace["Book"]


def test_members_have_pythons_names(book: Any) -> None:
    """Members are written in snake case, and read and shown in the contract's names."""
    made = book.model_validate({"pageCount": 1.0})
    assert made.page_count == 1
    assert made.model_dump_json(by_alias=True) == '{"pageCount":1}'


@pytest.mark.parametrize(
    "value",
    [
        {"pageCount": True},
        {"pageCount": "1"},
        {"pageCount": None},
        {"pageCount": 10},
        {"pageCount": 1, "title": 1},
        {"pageCount": 1, "title": None},
        {"pageCount": 1, "read": "yes"},
        {},
    ],
)
def test_models_are_strict(book: Any, value: Document) -> None:
    """Nothing is converted, bounds hold, and null is no value."""
    with pytest.raises(ValidationError):
        book.model_validate(value)
