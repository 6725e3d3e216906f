"""Schemas compared: what a client may send may only widen, what it receives only narrow."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from bedplate.contracts.document import resolve

Schema = Mapping[str, Any]
_ANYTHING: Schema = {}
_NOTHING: Schema = {"type": []}
ALL_TYPES = frozenset({"array", "boolean", "integer", "null", "number", "object", "string"})

# A greater lower bound narrows, a greater upper bound widens.
_LOWER = ("minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties")
_UPPER = ("maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties")
# Keywords that narrow by being there, and whose two values can't be compared.
_OPAQUE = ("pattern", "format", "const", "multipleOf", "uniqueItems", "not", "propertyNames",
           "patternProperties", "if", "then", "else", "dependentRequired", "dependentSchemas",
           "contains", "minContains", "maxContains", "unevaluatedProperties", "unevaluatedItems",
           "contentEncoding", "contentMediaType")  # fmt: skip
# Lists of schemas: compared one by one when there are as many as before, else as the above.
_LISTS = ("allOf", "anyOf", "oneOf", "prefixItems")


@dataclass(frozen=True, order=True)
class Change:
    """What changed, where, and whether a client that worked before may fail."""

    place: str
    what: str
    breaking: bool

    def __str__(self) -> str:
        """Return one line for a person."""
        return f"{'breaking' if self.breaking else 'compatible'}: {self.place}: {self.what}"


class SchemaComparison:
    """Compares two schemas of two documents, either of requests or of responses."""

    def __init__(self, old_document: Schema, new_document: Schema, *, requests: bool) -> None:
        self._old = _References(old_document)
        self._new = _References(new_document)
        self._narrowing_breaks = requests
        self._seen: set[tuple[int, int]] = set()

    def changes(self, place: str, old: Schema | bool, new: Schema | bool) -> Iterator[Change]:
        """Yield every change between two schemas, and between those within them."""
        before, after = self._old.whole(_as_object(old)), self._new.whole(_as_object(new))
        pair = (id(before), id(after))
        if pair in self._seen:
            return
        self._seen.add(pair)
        yield from self._types(place, before, after)
        yield from self._values(place, before, after)
        yield from self._bounds(place, before, after)
        yield from self._opaque(place, before, after)
        yield from self._members(place, before, after)
        yield from self._within(place, before, after)

    def _change(self, place: str, what: str, *, narrows: bool) -> Change:
        return Change(place, what, breaking=narrows is self._narrowing_breaks)

    def _types(self, place: str, old: Schema, new: Schema) -> Iterator[Change]:
        before, after = _types_of(old), _types_of(new)
        if gone := sorted(before - after):
            yield self._change(place, f"{', '.join(gone)} is no longer a type of it", narrows=True)
        if added := sorted(after - before):
            yield self._change(place, f"{', '.join(added)} is a new type of it", narrows=False)

    def _values(self, place: str, old: Schema, new: Schema) -> Iterator[Change]:
        before, after = old.get("enum"), new.get("enum")
        if before is None and after is not None:
            yield self._change(place, "only listed values are allowed now", narrows=True)
        elif before is not None and after is None:
            yield self._change(place, "values are no longer listed", narrows=False)
        elif before is not None and after is not None:
            if gone := [value for value in before if value not in after]:
                yield self._change(place, f"{len(gone)} listed value(s) are gone", narrows=True)
            if added := [value for value in after if value not in before]:
                yield self._change(place, f"{len(added)} listed value(s) are new", narrows=False)

    def _bounds(self, place: str, old: Schema, new: Schema) -> Iterator[Change]:
        for keyword in (*_LOWER, *_UPPER):
            before, after = old.get(keyword), new.get(keyword)
            if before == after:
                continue
            was, is_ = ("none" if bound is None else bound for bound in (before, after))
            widens = before is not None and (
                after is None or (after < before) == (keyword in _LOWER)
            )
            yield self._change(place, f"{keyword} was {was} and is {is_}", narrows=not widens)

    def _opaque(self, place: str, old: Schema, new: Schema) -> Iterator[Change]:
        for keyword in (*_OPAQUE, *_LISTS):
            if keyword in _LISTS and _as_many(old.get(keyword), new.get(keyword)):
                continue
            before = self._old.expanded(old.get(keyword))
            after = self._new.expanded(new.get(keyword))
            if before == after:
                continue
            if before is None:
                yield self._change(place, f"{keyword} is new", narrows=True)
            elif after is None:
                yield self._change(place, f"{keyword} is gone", narrows=False)
            else:
                yield Change(place, f"{keyword} is another one", breaking=True)

    def _members(self, place: str, old: Schema, new: Schema) -> Iterator[Change]:
        before, after = set(old.get("required", ())), set(new.get("required", ()))
        for name in after - before:
            yield self._change(f"{place}.{name}", "it is required now", narrows=True)
        for name in before - after:
            yield self._change(f"{place}.{name}", "it is optional now", narrows=False)
        earlier, later = old.get("properties", {}), new.get("properties", {})
        for name in earlier.keys() - later.keys():
            # A client that reads it no longer gets it; one that sends it is ignored.
            yield Change(f"{place}.{name}", "the member is gone", breaking=True)
        for name in later.keys() - earlier.keys():
            yield Change(f"{place}.{name}", "the member is new", breaking=False)
        for name in sorted(earlier.keys() & later.keys()):
            yield from self.changes(f"{place}.{name}", earlier[name], later[name])

    def _within(self, place: str, old: Schema, new: Schema) -> Iterator[Change]:
        for keyword in _LISTS:
            if _as_many(old.get(keyword), new.get(keyword)):
                pairs = zip(old[keyword], new[keyword], strict=True)
                for at, (earlier, later) in enumerate(pairs):
                    yield from self.changes(f"{place} {keyword} {at}", earlier, later)
        if "items" in old or "items" in new:
            yield from self.changes(f"{place}[]", old.get("items", {}), new.get("items", {}))
        extra = "additionalProperties"
        if extra in old or extra in new:
            yield from self.changes(f"{place}.*", old.get(extra, True), new.get(extra, True))


def _as_object(schema: Schema | bool) -> Schema:
    """Return a schema as an object: `true` allows everything, `false` nothing."""
    if isinstance(schema, bool):
        return _ANYTHING if schema else _NOTHING
    return schema


def _as_many(before: Any, after: Any) -> bool:
    return before is not None and after is not None and len(before) == len(after)


def _types_of(schema: Schema) -> frozenset[str]:
    declared = schema.get("type")
    if declared is None:
        return ALL_TYPES
    types = frozenset([declared] if isinstance(declared, str) else declared)
    # Every integer is a number (JSON Schema 2020-12, 6.1.1).
    return types | {"integer"} if "number" in types else types


class _References:
    """What the references of one document stand for, so that two documents' can be compared."""

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
