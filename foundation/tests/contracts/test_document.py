"""Contracts are read as they stand, and what is wrong with one is said in a sentence."""

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bedplate.contracts import Contract, ContractError
from bedplate.contracts.document import read_document, resolve

Document = dict[str, Any]
Write = Callable[..., Path]


def test_operations_are_found_by_their_ids(document: Document) -> None:
    """Each operation is known by its id, with method, path, parameters, body and status."""
    contract = Contract(document)
    added, got = contract.operations["addBook"], contract.operations["getBook"]
    assert (added.method, added.path, added.status) == ("POST", "/books", 201)
    assert added.body == {"$ref": "#/components/schemas/Book"}
    assert [parameter["name"] for parameter in got.parameters] == ["bookId"]
    assert got.body is None


def test_yaml_and_json_are_read_alike(document: Document, write: Write, tmp_path: Path) -> None:
    """A YAML file and a JSON file of the same document give the same contract."""
    json_file = tmp_path / "contract.json"
    json_file.write_text(json.dumps(document), encoding="utf-8")
    assert read_document(write(document)) == read_document(json_file) == document


def test_a_date_stays_text(tmp_path: Path) -> None:
    """An unquoted date in YAML is the text that JSON would hold."""
    path = tmp_path / "dated.yaml"
    path.write_text("version: 2026-11-21\nnumber: 1\n", encoding="utf-8")
    assert read_document(path) == {"version": "2026-11-21", "number": 1}


@pytest.mark.parametrize("text", ["a: [", "- 1", "\t", "a: !!python/object/new:os.system [x]"])
def test_what_is_no_document_is_refused(text: str, tmp_path: Path) -> None:
    """Broken YAML, a list and a Python object are refused with the file's name."""
    path = tmp_path / "broken.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ContractError, match=r"broken\.yaml"):
        read_document(path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    """A contract that isn't there is named."""
    with pytest.raises(ContractError, match=r"nowhere\.yaml can't be read"):
        Contract.load(tmp_path / "nowhere.yaml")


def test_ids_are_asked_for(document: Document) -> None:
    """An operation without an id, and an id used twice, are refused."""
    twice = copy.deepcopy(document)
    twice["paths"]["/books"]["post"]["operationId"] = "getBook"
    with pytest.raises(ContractError, match="Two operations are named getBook"):
        _ = Contract(twice).operations
    del document["paths"]["/books"]["post"]["operationId"]
    with pytest.raises(ContractError, match="POST /books has no operationId"):
        _ = Contract(document).operations


def test_a_reference_that_leads_nowhere_is_refused(document: Document) -> None:
    """A parameter that refers to nothing is refused."""
    document["paths"]["/books/{bookId}"]["get"]["parameters"] = [{"$ref": "#/nix"}]
    with pytest.raises(ContractError, match="#/nix leads nowhere"):
        _ = Contract(document).operations


def test_a_reference_into_a_path_is_followed(document: Document) -> None:
    """It is a JSON Pointer (RFC 6901) in a URI: `~1` is a slash, braces may be percent-encoded."""
    item = document["paths"]["/books/{bookId}"]
    parameters = item["get"]["parameters"]
    for path in ("~1books~1{bookId}", "~1books~1%7BbookId%7D"):
        reference = {"$ref": f"#/paths/{path}/get/parameters/0"}
        item["delete"] = {"operationId": "remove", "parameters": [reference], "responses": {}}
        assert list(Contract(document).operations["remove"].parameters) == parameters


def test_a_path_may_be_a_reference(document: Document) -> None:
    """Operations of a path item that stands elsewhere (OpenAPI 3.1, 4.8.9) are operations."""
    before = Contract(document).operations
    document["components"]["pathItems"] = {"Books": document["paths"]["/books"]}
    document["paths"]["/books"] = {"$ref": "#/components/pathItems/Books"}
    assert Contract(document).operations == before


def test_a_reference_may_have_any_characters(document: Document) -> None:
    """A name beyond ASCII, or with a backslash, is found as it is, and percent-encoded."""
    schema = {"type": "string"}
    document["components"]["schemas"] |= {"Größe": schema, r"\u0041": schema}
    for name in ("Größe", "Gr%C3%B6%C3%9Fe", r"\u0041"):
        assert resolve(document, {"$ref": f"#/components/schemas/{name}"}) is schema


def test_an_invalid_document_is_refused(document: Document) -> None:
    """OpenAPI's own rules are checked, and the place that breaks them is named."""
    Contract(document).validate()
    document["paths"]["/books/{bookId}"]["get"]["parameters"][0]["in"] = "nowhere"
    with pytest.raises(ContractError, match="Shelf isn't valid at paths"):
        Contract(document).validate()
