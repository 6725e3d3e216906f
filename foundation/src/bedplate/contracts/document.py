"""A contract: an OpenAPI 3.1 document that exists before the code.

contract = Contract.load(Path("contracts/scripts.yaml"), Path("contracts/scripts.overlay.yaml"))
contract.operations["createScript"].status
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Self, cast

import yaml

from bedplate.contracts.exceptions import ContractError
from bedplate.contracts.overlays import apply_overlay

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
"""The methods of a path item (OpenAPI 3.1, 4.8.9)."""

Document = dict[str, Any]


@dataclass(frozen=True)
class Operation:
    """One operation of a contract."""

    operation_id: str
    method: str
    path: str
    definition: Mapping[str, Any]
    parameters: tuple[Mapping[str, Any], ...]

    @property
    def status(self) -> int:
        """Return the first status of the class 2xx."""
        for status in self.definition["responses"]:
            if status.isdigit() and status.startswith("2"):
                return int(status)
        raise ContractError(f"The operation {self.operation_id} documents no success.")

    @property
    def body(self) -> Mapping[str, Any] | None:
        """Return the schema of the JSON body, or None."""
        content = self.definition.get("requestBody", {}).get("content", {})
        schema: Mapping[str, Any] | None = content.get("application/json", {}).get("schema")
        return schema


class Contract:
    """An OpenAPI document: `document` as published, `extended` with every overlay, in order."""

    def __init__(self, document: Document, overlays: list[Document] | None = None) -> None:
        self.document = document
        self.extended = document
        for overlay in overlays or []:
            self.extended = apply_overlay(self.extended, overlay)

    @classmethod
    def load(cls, path: Path, *overlays: Path) -> Self:
        """Read a document and its overlays, YAML or JSON. Raises `ContractError`."""
        return cls(read_document(path), [read_document(overlay) for overlay in overlays])

    @property
    def title(self) -> str:
        """The name of the API."""
        return str(self.document["info"]["title"])

    @cached_property
    def operations(self) -> Mapping[str, Operation]:
        """Every operation of the extended document, by its operationId."""
        by_id: dict[str, Operation] = {}
        for operation in operations_of(self.extended):
            if by_id.setdefault(operation.operation_id, operation) is not operation:
                raise ContractError(f"Two operations are named {operation.operation_id}.")
        return by_id

    def validate(self) -> None:
        """Raise `ContractError` if one of the two documents isn't valid OpenAPI 3.1."""
        from openapi_spec_validator import OpenAPIV31SpecValidator  # noqa: PLC0415 - slow to import

        for document in (self.document, self.extended):
            for error in OpenAPIV31SpecValidator(cast("Any", document)).iter_errors():
                place = "/".join(map(str, error.absolute_path))
                raise ContractError(f"{self.title} isn't valid at {place}: {error.message[:200]}")


def read_document(path: Path) -> Document:
    """Read a YAML or JSON file that holds one object. Raises `ContractError`."""
    try:
        text = path.read_text(encoding="utf-8")
        document = json.loads(text) if path.suffix == ".json" else yaml.load(text, _Loader)  # noqa: S506 - a safe loader
    except OSError as error:
        raise ContractError(f"{path} can't be read: {error.strerror}.") from None
    except (ValueError, yaml.YAMLError) as error:
        raise ContractError(f"{path} can't be read: {' '.join(str(error).split())}.") from None
    if not isinstance(document, dict):
        raise ContractError(f"{path} holds no object.")
    return document


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]  # chosen at run time
    """Reads only values that JSON has: an unquoted date stays a string."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, expression) for tag, expression in resolvers if not tag.endswith(":timestamp")]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def operations_of(document: Mapping[str, Any]) -> Iterator[Operation]:
    """Yield every operation of a document. Raises `ContractError` for one without an id."""
    for path, part_of_paths in document.get("paths", {}).items():
        item = resolve(document, part_of_paths)
        for method in METHODS:
            if method not in item:
                continue
            definition = item[method]
            name = definition.get("operationId")
            if not name:
                raise ContractError(f"{method.upper()} {path} has no operationId.")
            # Those of the operation replace those of the path with the same name.
            parameters = {}
            for part in (*item.get("parameters", []), *definition.get("parameters", [])):
                parameter = resolve(document, part)
                parameters[parameter["in"], parameter["name"]] = parameter
            yield Operation(name, method.upper(), path, definition, tuple(parameters.values()))


def resolve(document: Mapping[str, Any], part: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a part of the document, or the part that its `$ref` refers to."""
    if "$ref" not in part:
        return part
    from jsonpath import pointer  # noqa: PLC0415 - only a reference needs it

    seen: set[str] = set()
    while "$ref" in part:
        reference = part["$ref"]
        target = None
        if reference.startswith("#/") and reference not in seen:
            target = pointer.resolve(
                reference[1:], document, default=None, unicode_escape=False, uri_decode=True
            )
        if not isinstance(target, Mapping):
            raise ContractError(f"The reference {reference} leads nowhere within the document.")
        seen.add(reference)
        part = target
    return part
