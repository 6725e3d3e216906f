"""Schemas compared: what a client may send may only widen, what it receives only narrow."""

from collections.abc import Iterator, Mapping
from enum import Enum
from typing import Any

from bedplate.contracts.diff.change import Change
from bedplate.contracts.diff.references import References

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


class Direction(Enum):
    """Which way the values of a schema go."""

    REQUEST = "request"
    RESPONSE = "response"


class SchemaComparison:
    """Compares two schemas of two documents for values that go one way."""

    def __init__(self, old_document: Schema, new_document: Schema, direction: Direction) -> None:
        self._old = References(old_document)
        self._new = References(new_document)
        self._narrowing_breaks = direction is Direction.REQUEST
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

    def _narrower(self, place: str, what: str) -> Change:
        return Change(place, what, breaking=self._narrowing_breaks)

    def _wider(self, place: str, what: str) -> Change:
        return Change(place, what, breaking=not self._narrowing_breaks)

    def _types(self, place: str, old: Schema, new: Schema) -> Iterator[Change]:
        before, after = _types_of(old), _types_of(new)
        if gone := sorted(before - after):
            yield self._narrower(place, f"{', '.join(gone)} is no longer a type of it")
        if added := sorted(after - before):
            yield self._wider(place, f"{', '.join(added)} is a new type of it")

    def _values(self, place: str, old: Schema, new: Schema) -> Iterator[Change]:
        before, after = old.get("enum"), new.get("enum")
        if before is None and after is not None:
            yield self._narrower(place, "only listed values are allowed now")
        elif before is not None and after is None:
            yield self._wider(place, "values are no longer listed")
        elif before is not None and after is not None:
            if gone := [value for value in before if value not in after]:
                yield self._narrower(place, f"{len(gone)} listed value(s) are gone")
            if added := [value for value in after if value not in before]:
                yield self._wider(place, f"{len(added)} listed value(s) are new")

    def _bounds(self, place: str, old: Schema, new: Schema) -> Iterator[Change]:
        for keyword in (*_LOWER, *_UPPER):
            before, after = old.get(keyword), new.get(keyword)
            if before == after:
                continue
            what = f"{keyword} was {_text(before)} and is {_text(after)}"
            if before is None:
                yield self._narrower(place, what)
            elif after is None or (after < before) == (keyword in _LOWER):
                yield self._wider(place, what)
            else:
                yield self._narrower(place, what)

    def _opaque(self, place: str, old: Schema, new: Schema) -> Iterator[Change]:
        for keyword in (*_OPAQUE, *_LISTS):
            if keyword in _LISTS and _as_many(old.get(keyword), new.get(keyword)):
                continue
            before = self._old.expanded(old.get(keyword))
            after = self._new.expanded(new.get(keyword))
            if before == after:
                continue
            if before is None:
                yield self._narrower(place, f"{keyword} is new")
            elif after is None:
                yield self._wider(place, f"{keyword} is gone")
            else:
                yield Change(place, f"{keyword} is another one", breaking=True)

    def _members(self, place: str, old: Schema, new: Schema) -> Iterator[Change]:
        before, after = set(old.get("required", ())), set(new.get("required", ()))
        for name in sorted(after - before):
            yield self._narrower(f"{place}.{name}", "it is required now")
        for name in sorted(before - after):
            yield self._wider(f"{place}.{name}", "it is optional now")
        earlier, later = old.get("properties", {}), new.get("properties", {})
        for name in sorted(earlier.keys() - later.keys()):
            # A client that reads it no longer gets it; one that sends it is ignored.
            yield Change(f"{place}.{name}", "the member is gone", breaking=True)
        for name in sorted(later.keys() - earlier.keys()):
            yield Change(f"{place}.{name}", "the member is new", breaking=False)

    def _within(self, place: str, old: Schema, new: Schema) -> Iterator[Change]:
        earlier, later = old.get("properties", {}), new.get("properties", {})
        for name in sorted(earlier.keys() & later.keys()):
            yield from self.changes(f"{place}.{name}", earlier[name], later[name])
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


def _text(bound: Any) -> str:
    return "none" if bound is None else str(bound)
