"""Whether requests and answers keep a contract, told by JSON Schema 2020-12 alone.

None of the code that makes an answer has a say here: what the models would let through by mistake
is found.
"""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, cast
from urllib.parse import parse_qsl

from jsonschema import Draft202012Validator

from bedplate.contracts.document import Contract, Document, Operation, operations_of, resolve

Violations = list[str]
_PARAMETER = re.compile(r"\\\{[^/{}]+\\\}")
_MAX_MESSAGE_LENGTH = 300


class Conformance:
    """Judges requests and answers by one OpenAPI document, the bare or the extended one."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self._operations = list(operations_of(document))
        self._paths = {one.path: _expression(one.path) for one in self._operations}

    def operation(self, method: str, path: str) -> Operation | None:
        """Return the operation that a request reaches.

        A concrete path comes before a templated one, whatever its methods (OpenAPI 3.1, 4.8.8).
        """
        fitting = [one for one, expression in self._paths.items() if expression.fullmatch(path)]
        reached = min(fitting, key=lambda one: one.count("{"), default=None)
        for one in self._operations:
            if one.path == reached and one.method == method.upper():
                return one
        return None

    def request(
        self, method: str, path: str, query: str = "", body: bytes | None = None
    ) -> Violations:
        """Return what is wrong with a request, nothing when it keeps the contract."""
        operation = self.operation(method, path)
        if operation is None:
            return [f"{method} {path} is no operation."]
        found = list(self._parameters(operation, path, query))
        if operation.body is not None:
            found += self._body(operation, body)
        return found

    def response(
        self, method: str, path: str, status: int, content_type: str | None, body: bytes
    ) -> Violations:
        """Return what is wrong with an answer, nothing when it keeps the contract.

        A status that the operation doesn't document is a violation.
        """
        operation = self.operation(method, path)
        if operation is None:
            return [f"{method} {path} is no operation."]
        named = f"{operation.operation_id} {status}"
        responses = operation.definition["responses"]
        described = responses.get(str(status), responses.get("default"))
        if described is None:
            return [f"{named}: the contract documents no such status."]
        content = resolve(self._document, described).get("content", {})
        if not content:
            return [f"{named}: the contract documents no content."] if body else []
        media_type = (content_type or "").partition(";")[0].strip()
        if media_type not in content:
            return [f"{named}: the contract documents no {media_type or 'missing content type'}."]
        if "schema" not in content[media_type] or not media_type.endswith("json"):
            return []
        return [f"{named}: {what}" for what in self._json(body, content[media_type]["schema"])]

    def _parameters(self, operation: Operation, path: str, query: str) -> Iterator[str]:
        sent = dict(parse_qsl(query, keep_blank_values=True))
        sent_in = {"path": _path_values(operation.path, path), "query": sent}
        for parameter in operation.parameters:
            values = sent_in.get(parameter["in"])
            if values is None:
                continue
            name = parameter["name"]
            if name in values:
                yield from self._schema(_plain(values[name]), parameter["schema"], name)
            elif parameter.get("required", False):
                yield f"{name} is missing."

    def _body(self, operation: Operation, body: bytes | None) -> Violations:
        required = operation.definition["requestBody"].get("required", False)
        if not body:
            return ["The body is missing."] if required else []
        return self._json(body, cast("Mapping[str, Any]", operation.body))

    def _json(self, body: bytes, schema: Mapping[str, Any]) -> Violations:
        try:
            value = json.loads(body)
        except ValueError:
            return ["The body is no JSON."]
        return list(self._schema(value, schema, "body"))

    def _schema(self, value: Any, schema: Mapping[str, Any], name: str) -> Iterator[str]:
        # The components come along, so that a reference within the document is found.
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
    """Return the number, truth value or null that a parameter spells, else its text."""
    try:
        return json.loads(text)
    except ValueError:
        return text


def drift(contract: Contract, made: Mapping[str, Any]) -> Violations:
    """Return where the document that FastAPI makes of the handlers leaves the contract.

    Parameters are compared by place, name and whether they're required, bodies and answers by the
    name of their schema.
    """
    handlers = {one.operation_id: one for one in operations_of(made)}
    return [
        f"{name}: the handler has {have or 'nothing'}, the contract {want or 'nothing'}."
        for name, operation in contract.operations.items()
        for have, want in zip(_shape(handlers[name]), _shape(operation), strict=True)
        if have != want
    ]


def _shape(operation: Operation) -> tuple[str, ...]:
    parameters = sorted(
        f"{one['in']} {one['name']}{' (required)' if one.get('required') else ''}"
        for one in operation.parameters
    )
    answer = operation.definition["responses"].get(str(operation.status), {})
    schema = answer.get("content", {}).get("application/json", {}).get("schema", {})
    return ", ".join(parameters), _schema_name(operation.body or {}), _schema_name(schema)


def _schema_name(schema: Mapping[str, Any]) -> str:
    if schema.get("type") == "array":
        return f"list of {_schema_name(schema.get('items', {}))}"
    return str(schema.get("$ref", "")).rpartition("/")[2]
