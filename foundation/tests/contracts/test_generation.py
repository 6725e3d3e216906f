"""Models are made from a contract, and are as strict as it is."""

from types import SimpleNamespace
from typing import Any

import pytest
from pydantic import ValidationError

from bedplate.contracts import Contract
from bedplate.contracts.generation import generate_models

Document = dict[str, Any]


def _generate(**schemas: Document) -> str:
    document = {
        "openapi": "3.1.0",
        "info": {"title": "Shelf", "version": "1"},
        "paths": {},
        "components": {"schemas": schemas},
    }
    return generate_models(Contract(document), "shelf")


def _models(source: str) -> Any:
    namespace: dict[str, Any] = {}
    exec(source, namespace)
    return SimpleNamespace(**namespace)


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
    return _models(_generate(Book=schema)).Book


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


def test_a_model_of_integers_only_needs_no_bounds() -> None:
    """A model whose members are required integers is generated as well."""
    page = {"type": "object", "properties": {"at": {"type": "integer"}}, "required": ["at"]}
    assert _models(_generate(Page=page)).Page(at=1.0).at == 1


def test_bounds_that_members_share_have_a_name() -> None:
    """A bound of 64 bits is `Integer64`; bounds of texts have a name when they occur again."""
    text = {"type": "string", "maxLength": 9}
    title = {**text, "pattern": "^[^)]*$", "description": 'Between "quotes" and \\.'}
    number = {"type": "integer", "minimum": -(1 << 63), "maximum": (1 << 63) - 1}
    properties = {
        "title": title,
        "subTitle": title,
        "note": text,
        "number": number,
    }
    source = _generate(Book={"type": "object", "properties": properties, "required": ["number"]})
    assert "title: Text9 | MISSING = MISSING" in source
    assert 'sub_title: Annotated[Text9 | MISSING, Field(alias="subTitle")] = MISSING' in source
    assert "note: Annotated[StrictStr | MISSING, Field(max_length=9)] = MISSING" in source
    assert "number: Integer64\n" in source

    book = _models(source).Book
    book(number=-(1 << 63), title="a" * 9, sub_title="b", note=")")
    for wrong in ({"number": 1 << 63}, {"title": "a" * 10}, {"subTitle": ")"}, {"note": "a" * 10}):
        with pytest.raises(ValidationError):
            book.model_validate({"number": 1, **wrong})
