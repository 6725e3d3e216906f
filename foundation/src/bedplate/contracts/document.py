"""A contract: an OpenAPI 3.1 document that was there before the code.

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
        """Return the status of success: the first of the class 2xx."""
        for status in self.definition["responses"]:
            if status.isdigit() and status.startswith("2"):
                return int(status)
        raise ContractError(f"The operation {self.operation_id} documents no success.")

    @property
    def body(self) -> Mapping[str, Any] | None:
        """Return the schema of the JSON body, or None."""
        content = self.definition.get("requestBody", {}).get("content", {})
        found: Mapping[str, Any] | None = content.get("application/json", {}).get("schema")
        return found


class Contract:
    """An OpenAPI document, bare as it was published and extended by overlays.

    `document` is the bare one, `extended` the one with every overlay applied, in their order.
    """

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
        """What the API is called."""
        return str(self.document["info"]["title"])

    @cached_property
    def operations(self) -> Mapping[str, Operation]:
        """Every operation of the extended document, by its operationId."""
        return _by_id(operations_of(self.extended))

    @cached_property
    def published(self) -> Mapping[str, Operation]:
        """Every operation of the bare document, by its operationId."""
        return _by_id(operations_of(self.document))

    def validate(self) -> None:
        """Raise `ContractError` when either document isn't valid OpenAPI 3.1."""
        from openapi_spec_validator import OpenAPIV31SpecValidator  # noqa: PLC0415 - slow to import

        for document in (self.document, self.extended):
            for error in OpenAPIV31SpecValidator(cast("Any", document)).iter_errors():
                place = "/".join(map(str, error.absolute_path))
                raise ContractError(f"{self.title} isn't valid at {place}: {error.message[:200]}")


def read_document(path: Path) -> Document:
    """Read a YAML or JSON file that holds one object. Raises `ContractError`."""
    try:
        text = path.read_text(encoding="utf-8")
        found = json.loads(text) if path.suffix == ".json" else yaml.load(text, _Loader)  # noqa: S506 - a safe loader
    except OSError as error:
        raise ContractError(f"{path} can't be read: {error.strerror}.") from None
    except (ValueError, yaml.YAMLError) as error:
        raise ContractError(f"{path} can't be read: {' '.join(str(error).split())}.") from None
    if not isinstance(found, dict):
        raise ContractError(f"{path} holds no object.")
    return found


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]  # chosen at run time
    """Reads what JSON could hold too: an unquoted date stays a string."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, expression) for tag, expression in resolvers if not tag.endswith(":timestamp")]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def operations_of(document: Mapping[str, Any]) -> Iterator[Operation]:
    """Yield every operation of a document. Raises `ContractError` for one without an id."""
    for path, item in document.get("paths", {}).items():
        for method in METHODS:
            if method in item:
                yield _operation(document, path, method, item)


def _operation(
    document: Mapping[str, Any], path: str, method: str, item: Mapping[str, Any]
) -> Operation:
    definition = item[method]
    name = definition.get("operationId")
    if not name:
        raise ContractError(f"{method.upper()} {path} has no operationId.")
    shared = [resolve(document, one) for one in item.get("parameters", [])]
    own = [resolve(document, one) for one in definition.get("parameters", [])]
    merged = {(one["in"], one["name"]): one for one in [*shared, *own]}
    return Operation(name, method.upper(), path, definition, tuple(merged.values()))


def _by_id(operations: Iterator[Operation]) -> dict[str, Operation]:
    found: dict[str, Operation] = {}
    for operation in operations:
        if operation.operation_id in found:
            raise ContractError(f"Two operations are named {operation.operation_id}.")
        found[operation.operation_id] = operation
    return found


def resolve(document: Mapping[str, Any], part: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what a part stands for: itself, or where its `$ref` within the document leads."""
    seen: set[str] = set()
    while "$ref" in part:
        reference = part["$ref"]
        if not reference.startswith("#/") or reference in seen:
            raise ContractError(f"The reference {reference} leads nowhere within the document.")
        seen.add(reference)
        part = _follow(document, reference)
    return part


def _follow(document: Mapping[str, Any], reference: str) -> Mapping[str, Any]:
    found: Any = document
    for token in reference.removeprefix("#/").split("/"):
        key = token.replace("~1", "/").replace("~0", "~")
        if not isinstance(found, Mapping) or key not in found:
            raise ContractError(f"The reference {reference} leads nowhere within the document.")
        found = found[key]
    return cast("Mapping[str, Any]", found)
