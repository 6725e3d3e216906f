"""Checks that requests and responses match a contract, by JSON Schema 2020-12 alone.

It shares no code with the models, so it finds their mistakes too.
"""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import parse_qsl

from jsonschema import Draft202012Validator

from bedplate.contracts.document import Contract, Document, Operation, operations_of, resolve

Violations = list[str]
_PARAMETER = re.compile(r"\\\{[^/{}]+\\\}")
_MAX_MESSAGE_LENGTH = 300


class Conformance:
    """Checks requests and responses against one OpenAPI document, published or extended."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self._operations = list(operations_of(document))
        self._paths = {each.path: _expression(each.path) for each in self._operations}

    def operation(self, method: str, path: str) -> Operation | None:
        """Return the operation of a request, or None."""
        # A concrete path comes before a templated one, whatever its methods (OpenAPI 3.1, 4.8.8).
        matches = [each for each, expression in self._paths.items() if expression.fullmatch(path)]
        template = min(matches, key=lambda each: each.count("{"), default=None)
        for operation in self._operations:
            if operation.path == template and operation.method == method.upper():
                return operation
        return None

    def request(
        self, method: str, path: str, query: str = "", body: bytes | None = None
    ) -> Violations:
        """Return what is wrong with a request; nothing if it matches the contract."""
        operation = self.operation(method, path)
        if operation is None:
            return [f"{method} {path} is no operation."]
        violations = list(self._parameters(operation, path, query))
        if operation.body is not None and body:
            violations += self._json(body, operation.body)
        elif operation.body is not None and operation.definition["requestBody"].get("required"):
            violations.append("The body is missing.")
        return violations

    def response(
        self, method: str, path: str, status: int, content_type: str | None, body: bytes
    ) -> Violations:
        """Return what is wrong with a response, such as a status that isn't documented."""
        operation = self.operation(method, path)
        if operation is None:
            return [f"{method} {path} is no operation."]
        label = f"{operation.operation_id} {status}"
        responses = operation.definition["responses"]
        documented = responses.get(str(status), responses.get("default"))
        if documented is None:
            return [f"{label}: the contract documents no such status."]
        content = resolve(self._document, documented).get("content", {})
        if not content:
            return [f"{label}: the contract documents no content."] if body else []
        media_type = (content_type or "").partition(";")[0].strip()
        if media_type not in content:
            return [f"{label}: the contract documents no {media_type or 'missing content type'}."]
        if "schema" not in content[media_type] or not media_type.endswith("json"):
            return []
        errors = self._json(body, content[media_type]["schema"])
        return [f"{label}: {error}" for error in errors]

    def _parameters(self, operation: Operation, path: str, query: str) -> Iterator[str]:
        by_place = {
            "path": _path_values(operation.path, path),
            "query": dict(parse_qsl(query, keep_blank_values=True)),
        }
        for parameter in operation.parameters:
            values = by_place.get(parameter["in"])
            if values is None:
                continue
            name = parameter["name"]
            if name in values:
                yield from self._schema(_plain(values[name]), parameter["schema"], name)
            elif parameter.get("required", False):
                yield f"{name} is missing."

    def _json(self, body: bytes, schema: Mapping[str, Any]) -> Violations:
        try:
            value = json.loads(body)
        except ValueError:
            return ["The body is not JSON."]
        return list(self._schema(value, schema, "body"))

    def _schema(self, value: Any, schema: Mapping[str, Any], name: str) -> Iterator[str]:
        # References within the document need its components.
        whole = {**schema, "components": self._document.get("components", {})}
        for error in Draft202012Validator(whole).iter_errors(value):
            place = ".".join(map(str, (name, *error.absolute_path)))
            yield f"{place}: {error.message[:_MAX_MESSAGE_LENGTH]}"


def _expression(path: str) -> re.Pattern[str]:
    return re.compile(_PARAMETER.sub("([^/]+)", re.escape(path)))


def _path_values(template: str, path: str) -> dict[str, str]:
    names = re.findall(r"\{([^/{}]+)\}", template)
    match = _expression(template).fullmatch(path)
    return dict(zip(names, match.groups(), strict=True)) if match else {}


def _plain(text: str) -> Any:
    """Return the number, boolean or null in the text of a parameter, else the text."""
    try:
        return json.loads(text)
    except ValueError:
        return text


def drift(contract: Contract, document: Mapping[str, Any]) -> Violations:
    """Return where the document that FastAPI generates from the handlers differs from a contract.

    Parameters are compared by place, name and whether they're required, bodies and responses by
    the name of their schema.
    """
    handlers = {operation.operation_id: operation for operation in operations_of(document)}
    return [
        f"{name}: the handler has {have or 'nothing'}, the contract {want or 'nothing'}."
        for name, operation in contract.operations.items()
        for have, want in zip(_shape(handlers[name]), _shape(operation), strict=True)
        if have != want
    ]


def _shape(operation: Operation) -> tuple[str, ...]:
    parameters = sorted(
        f"{each['in']} {each['name']}{' (required)' if each.get('required') else ''}"
        for each in operation.parameters
    )
    answer = operation.definition["responses"].get(str(operation.status), {})
    schema = answer.get("content", {}).get("application/json", {}).get("schema", {})
    return ", ".join(parameters), _schema_name(operation.body or {}), _schema_name(schema)


def _schema_name(schema: Mapping[str, Any]) -> str:
    if schema.get("type") == "array":
        return f"list of {_schema_name(schema.get('items', {}))}"
    return str(schema.get("$ref", "")).rpartition("/")[2]
