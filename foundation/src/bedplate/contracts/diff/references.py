"""Schemas without their references, so that two documents' can be compared."""

from collections.abc import Mapping
from typing import Any

from bedplate.contracts.document import resolve

Schema = Mapping[str, Any]


class References:
    """What the references of one document stand for."""

    def __init__(self, document: Schema) -> None:
        self._document = document
        self._whole: dict[int, Schema] = {}

    def whole(self, schema: Schema) -> Schema:
        """Return a schema, or what its `$ref` leads to together with what stands beside it.

        The same schema is always the same object. Raises `ContractError` for a reference that
        leads nowhere.
        """
        if "$ref" not in schema or len(schema) == 1:
            return resolve(self._document, schema)
        if id(schema) not in self._whole:
            self._whole[id(schema)] = _joined(resolve(self._document, schema), schema)
        return self._whole[id(schema)]

    def expanded(self, value: Any, within: frozenset[str] = frozenset()) -> Any:
        """Return a value with every reference in it replaced, but for one that holds itself."""
        if isinstance(value, list):
            return [self.expanded(item, within) for item in value]
        if not isinstance(value, dict):
            return value
        reference = value.get("$ref")
        if isinstance(reference, str):
            if reference in within:
                return value
            within |= {reference}
            value = self.whole(value)
        return {key: self.expanded(item, within) for key, item in value.items()}


def _joined(target: Schema, beside: Schema) -> Schema:
    """Return a schema of both: JSON Schema 2020-12, 8.2.3.1, lets a reference stand with others."""
    joined = {**target, **{key: value for key, value in beside.items() if key != "$ref"}}
    for name in {"required"} & target.keys() & beside.keys():
        joined[name] = [*target[name], *beside[name]]
    for name in {"properties"} & target.keys() & beside.keys():
        joined[name] = {**target[name], **beside[name]}
    return joined
