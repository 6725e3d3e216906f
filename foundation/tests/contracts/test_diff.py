"""Changes between two documents are found, and those that break a client are distinguished."""

import copy
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bedplate.contracts.diff import compare

Document = dict[str, Any]
SENT = {"type": "object", "properties": {"n": {"type": "integer"}}}
REQUIRED = {**SENT, "required": ["n"]}


def api(schema: Document, *, answered: bool = False) -> Document:
    """Return a document whose one operation takes, or answers with, values of a schema."""
    content = {"content": {"application/json": {"schema": schema}}}
    operation: Document = {"operationId": "go", "responses": {"200": {"description": "Done."}}}
    if answered:
        operation["responses"]["200"] |= content
    else:
        operation["requestBody"] = content
    return {"openapi": "3.1.0", "paths": {"/go": {"post": operation}}}


def breaking(old: Document, new: Document, *, answered: bool) -> list[bool]:
    """Return of each change between two schemas whether it breaks a client."""
    found = compare(api(old, answered=answered), api(new, answered=answered))
    return [change.breaking for change in found]


@pytest.mark.parametrize(
    ("wide", "narrow"),
    [
        ({"type": "number"}, {"type": "integer"}),
        ({"type": ["string", "null"]}, {"type": "string"}),
        ({}, {"type": "string"}),
        (True, {"type": "string"}),
        ({"type": "integer"}, {"type": "integer", "minimum": 1}),
        ({"type": "integer", "minimum": 1}, {"type": "integer", "minimum": 2}),
        ({"type": "integer", "maximum": 2}, {"type": "integer", "maximum": 1}),
        ({"type": "string"}, {"type": "string", "maxLength": 5}),
        ({"type": "string"}, {"type": "string", "pattern": "^a"}),
        ({"type": "string"}, {"type": "string", "format": "date"}),
        ({"type": "string"}, {"type": "string", "enum": ["a"]}),
        ({"enum": ["a", "b"]}, {"enum": ["a"]}),
        (SENT, {**SENT, "required": ["n"]}),
        (SENT, {**SENT, "additionalProperties": False}),
        ({"type": "array", "items": {}}, {"type": "array", "items": {"type": "null"}}),
        ({"type": "array"}, {"type": "array", "maxItems": 3}),
        ({"type": "object"}, {"type": "object", "dependentRequired": {"a": ["b"]}}),
        ({"type": "object"}, {"type": "object", "unevaluatedProperties": False}),
        ({"type": "array"}, {"type": "array", "prefixItems": [{"type": "null"}]}),
        ({"type": "array"}, {"type": "array", "contains": {"type": "null"}}),
        ({"anyOf": [SENT, {"type": "null"}]}, {"anyOf": [REQUIRED, {"type": "null"}]}),
        ({"allOf": [SENT]}, {"allOf": [REQUIRED]}),
    ],
)
def test_requests_may_widen_and_answers_narrow(wide: Document, narrow: Document) -> None:
    """Narrowing breaks who sends, widening breaks who receives; the other way round is fine."""
    assert True in breaking(wide, narrow, answered=False)
    assert True not in breaking(narrow, wide, answered=False)
    assert True in breaking(narrow, wide, answered=True)
    assert True not in breaking(wide, narrow, answered=True)


@pytest.mark.parametrize(
    "around",
    [
        {"anyOf": [{"$ref": "#/components/schemas/Sent"}, {"type": "null"}]},
        {"allOf": [{"$ref": "#/components/schemas/Sent"}, {"maxProperties": 5}]},
        {"not": {"not": {"$ref": "#/components/schemas/Sent"}}},
        {"$ref": "#/components/schemas/Sent", "maxProperties": 5},
        {"type": "array", "items": {"oneOf": [{"$ref": "#/components/schemas/Sent"}]}},
    ],
)
def test_a_change_behind_a_reference_is_found(around: Document) -> None:
    """Also where what holds the reference is the same to the letter."""
    old, new = (api(around) | {"components": {"schemas": {"Sent": s}}} for s in (SENT, REQUIRED))
    assert any(item.breaking for item in compare(old, new))
    assert compare(old, copy.deepcopy(old)) == []


def test_what_stands_beside_a_reference_counts() -> None:
    """It narrows what the reference leads to."""
    reference = {"$ref": "#/components/schemas/Sent"}
    components = {"components": {"schemas": {"Sent": REQUIRED}}}
    old, new = (api({**reference, **more}) | components for more in ({}, {"required": ["m"]}))
    assert [str(item) for item in compare(old, new)] == [
        "breaking: POST /go body.m: it is required now"
    ]
    assert not any(item.breaking for item in compare(new, old))


def test_a_schema_that_holds_itself_beside_something() -> None:
    """The comparison ends."""
    tree: Document = {"properties": {"a": {"$ref": "#/components/schemas/Tree", "title": "A"}}}
    tree["not"] = {"$ref": "#/components/schemas/Tree"}
    old = api({"$ref": "#/components/schemas/Tree"}) | {"components": {"schemas": {"Tree": tree}}}
    new = copy.deepcopy(old)
    assert compare(old, new) == []
    new["components"]["schemas"]["Tree"]["properties"]["b"] = {}
    assert compare(old, new)


KEY: Document = {"key": []}
BOTH: Document = {"key": [], "user": ["read"]}


@pytest.mark.parametrize(
    ("before", "after", "breaks"),
    [
        (None, [KEY], True),
        ([], [KEY], True),
        ([KEY, {}], [KEY], True),
        ([KEY], [BOTH], True),
        ([BOTH], [{"key": [], "user": ["read", "write"]}], True),
        ([KEY], [{"user": []}], True),
        ([KEY], None, False),
        ([KEY], [BOTH, KEY], False),
        ([BOTH], [KEY], False),
    ],
)
def test_who_may_call_breaks_clients_when_it_asks_for_more(
    before: Any, after: Any, breaks: bool
) -> None:
    """For the whole document as for one operation."""
    old, new = ({**api({}), **({} if s is None else {"security": s})} for s in (before, after))
    assert [item.breaking for item in compare(old, new)] == [breaks]
    for document in (old, new):
        document["paths"]["/go"]["post"] |= {"security": document.pop("security", [])}
    assert [item.breaking for item in compare(old, new)] == [breaks]


def remove_path(new: Document) -> None:
    """Take the first path away."""
    del new["paths"]["/books"]


def rename_operation(new: Document) -> None:
    """Give an operation another id."""
    new["paths"]["/books"]["post"]["operationId"] = "storeBook"


def require_parameter(new: Document) -> None:
    """Add a parameter that must be sent."""
    parameter = {"name": "a", "in": "query", "required": True, "schema": {}}
    new["paths"]["/books"]["post"]["parameters"] = [parameter]


def change_status(new: Document) -> None:
    """Answer with another status of success."""
    responses = new["paths"]["/books"]["post"]["responses"]
    responses["200"] = responses.pop("201")


def remove_member(new: Document) -> None:
    """Take a member away."""
    del new["components"]["schemas"]["Book"]["properties"]["title"]


def change_media_type(new: Document) -> None:
    """Answer with another media type."""
    answer = new["paths"]["/books"]["post"]["responses"]["201"]
    answer["content"] = {"application/hal+json": answer["content"]["application/json"]}


@pytest.mark.parametrize(
    "change",
    [
        remove_path,
        rename_operation,
        require_parameter,
        change_status,
        remove_member,
        change_media_type,
    ],
)
def test_what_breaks_clients_is_named(
    change: Callable[[Document], None], document: Document
) -> None:
    """Each way to break a client of an operation is found."""
    new = copy.deepcopy(document)
    change(new)
    assert any(item.breaking for item in compare(document, new))


def test_a_body_that_becomes_optional_is_listed() -> None:
    """It breaks nobody; a body that becomes required does."""
    optional, required = api({}), api({})
    required["paths"]["/go"]["post"]["requestBody"]["required"] = True
    for old, new, line in (
        (required, optional, "compatible: POST /go body: it is optional now"),
        (optional, required, "breaking: POST /go body: it is required now"),
    ):
        assert [str(change) for change in compare(old, new)] == [line]


def test_additions_break_nobody(document: Document) -> None:
    """A new operation, an optional parameter, an optional member and an error are compatible."""
    new = copy.deepcopy(document)
    new["paths"]["/more"] = {"get": {"operationId": "more", "responses": {"200": {}}}}
    post = new["paths"]["/books"]["post"]
    post["parameters"] = [{"name": "a", "in": "query", "schema": {"type": "string"}}]
    post["responses"]["400"] = {"description": "Refused."}
    new["components"]["schemas"]["Book"]["properties"]["author"] = {"type": "string"}
    changes = compare(document, new)
    assert len(changes) >= 4
    assert not any(change.breaking for change in changes)


def test_a_document_is_like_itself(document: Document) -> None:
    """Nothing changed between a document and its copy, also with a schema that holds itself."""
    assert compare(document, copy.deepcopy(document)) == []


SCHEMAS = st.recursive(
    st.fixed_dictionaries(
        {},
        optional={
            "type": st.sampled_from(["string", "integer", "number", "null", "object"]),
            "minimum": st.integers(-3, 3),
            "maxLength": st.integers(0, 3),
            "enum": st.lists(st.integers(0, 3), min_size=1, unique=True),
        },
    ),
    lambda inner: st.builds(
        lambda members, required: {
            "type": "object",
            "properties": members,
            "required": [name for name in members if required],
        },
        st.dictionaries(st.sampled_from("abc"), inner, max_size=2),
        st.booleans(),
    ),
    max_leaves=4,
)


@given(SCHEMAS, SCHEMAS)
def test_every_change_breaks_one_way_at_most_when_it_only_narrows(
    old: Document, new: Document
) -> None:
    """No change goes unseen: schemas that differ have a change, and equal ones have none."""
    found = breaking(old, new, answered=False)
    assert bool(found) is (_meaning(old) != _meaning(new))


def _meaning(schema: Document) -> Document:
    """Return a schema without the order of its lists, and without lists that say nothing."""
    plain = {key: value for key, value in schema.items() if value not in ([], {})}
    for name in ("enum", "required"):
        if name in plain:
            plain[name] = sorted(plain[name])
    if "properties" in plain:
        plain["properties"] = {key: _meaning(one) for key, one in plain["properties"].items()}
    return plain
