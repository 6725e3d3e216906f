"""Additions are merged as OpenAPI Overlay 1.0 says; the published document stays as it is."""

import copy
from typing import Any

import pytest

from bedplate.contracts import Contract, ContractError
from bedplate.contracts.overlays import apply_overlay

Document = dict[str, Any]


def overlay(*actions: Document) -> Document:
    """Return an overlay of these actions."""
    return {"overlay": "1.0.0", "info": {}, "actions": list(actions)}


def test_the_published_document_stays(document: Document, overlay: Document) -> None:
    """The extended document has the additions, the bare one is unchanged."""
    published = copy.deepcopy(document)
    contract = Contract(document, [overlay])
    assert contract.document == published
    for operation in contract.operations.values():
        assert "400" in operation.definition["responses"]
    for operation in Contract(contract.document).operations.values():
        assert "400" not in operation.definition["responses"]


def test_objects_are_merged_lists_grow_and_parts_go(document: Document) -> None:
    """An update merges objects, appends to lists and replaces values; a removal takes away."""
    changed = apply_overlay(
        document,
        overlay(
            {"target": "$.info", "update": {"version": "2", "contact": {"name": "Ada"}}},
            {"target": "$.servers", "update": {"url": "/"}},
            {"target": "$.paths['/books']", "remove": True},
        ),
    )
    assert changed["info"] == {"title": "Shelf", "version": "2", "contact": {"name": "Ada"}}
    assert [server["url"] for server in changed["servers"]] == ["https://shelf.example.com", "/"]
    assert list(changed["paths"]) == ["/books/{bookId}"]


@pytest.mark.parametrize(
    ("action", "message"),
    [
        ({"target": "$.nix", "update": {}}, "finds nothing"),
        ({"target": "$[", "update": {}}, "can't be read"),
        ({"target": "$.info.title", "update": {"a": 1}}, "doesn't fit"),
        ({"target": "$", "remove": True}, "can't remove the whole"),
    ],
)
def test_an_action_that_does_nothing_is_a_mistake(
    action: Document, message: str, document: Document
) -> None:
    """A target that finds nothing or can't be read, and an update that doesn't fit, are refused."""
    with pytest.raises(ContractError, match=message):
        apply_overlay(document, overlay(action))


def test_an_overlay_says_what_it_is(document: Document) -> None:
    """A document without the overlay's version is none."""
    with pytest.raises(ContractError, match="begins with"):
        apply_overlay(document, {"actions": []})
