"""What changed between two OpenAPI documents, and what of it breaks a client.

A client breaks when it may no longer send what it was allowed to send, or may receive what it was
never promised. So a request's schema may only become wider, an answer's only narrower.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from bedplate.contracts.document import Operation, operations_of, resolve
from bedplate.contracts.schema_diff import Change, SchemaComparison

Document = Mapping[str, Any]
Key = tuple[str, str]
Requirement = Mapping[str, list[str]]


def compare(old: Document, new: Document) -> list[Change]:
    """Return every change that a client could notice, by place. Raises `ContractError`."""
    return sorted(set(_Comparison(old, new).changes()))


class _Comparison:
    def __init__(self, old: Document, new: Document) -> None:
        self._old = old
        self._new = new

    def changes(self) -> Iterator[Change]:
        before, after = _by_key(self._old), _by_key(self._new)
        for key in before.keys() - after.keys():
            yield Change(" ".join(key), "the operation is gone", breaking=True)
        for key in after.keys() - before.keys():
            yield Change(" ".join(key), "the operation is new", breaking=False)
        for key in before.keys() & after.keys():
            yield from self._operation(" ".join(key), before[key], after[key])

    def _operation(self, place: str, old: Operation, new: Operation) -> Iterator[Change]:
        if old.operation_id != new.operation_id:
            what = f"operationId {old.operation_id} became {new.operation_id}"
            yield Change(place, what, breaking=True)
        yield from self._security(place, old, new)
        yield from self._parameters(place, old, new)
        yield from self._body(place, old, new)
        yield from self._responses(place, old, new)

    def _security(self, place: str, old: Operation, new: Operation) -> Iterator[Change]:
        """Yield a breaking change when every alternative left asks for more than the client has."""
        before, after = _alternatives(self._old, old), _alternatives(self._new, new)
        lost = [way for way in before if not any(_asks_no_more(other, way) for other in after)]
        for way in lost:
            name = " with ".join(way) or "no proof of who calls"
            yield Change(place, f"{name} is no longer enough to call it", breaking=True)
        if not lost and before != after:
            yield Change(place, "it asks for other proof of who calls", breaking=False)

    def _parameters(self, place: str, old: Operation, new: Operation) -> Iterator[Change]:
        before, after = _parameters(old), _parameters(new)
        for key in before.keys() - after.keys():
            yield Change(place, f"the parameter {' '.join(key)} is gone", breaking=True)
        for key in after.keys() - before.keys():
            required = after[key].get("required", False)
            kind = "required" if required else "optional"
            what = f"the {kind} parameter {' '.join(key)} is new"
            yield Change(place, what, breaking=required)
        for key in before.keys() & after.keys():
            where = f"{place} {' '.join(key)}"
            yield from _requirement(where, before[key], after[key])
            yield from self._schemas(where, before[key], after[key], requests=True)

    def _body(self, place: str, old: Operation, new: Operation) -> Iterator[Change]:
        before = resolve(self._old, old.definition.get("requestBody", {}))
        after = resolve(self._new, new.definition.get("requestBody", {}))
        yield from _requirement(f"{place} body", before, after)
        yield from self._contents(f"{place} body", before, after, requests=True)

    def _responses(self, place: str, old: Operation, new: Operation) -> Iterator[Change]:
        before, after = old.definition["responses"], new.definition["responses"]
        for status in before.keys() ^ after.keys():
            what = f"the status {status} is {'new' if status in after else 'gone'}"
            yield Change(place, what, breaking=status.startswith("2"))
        for status in before.keys() & after.keys():
            earlier = resolve(self._old, before[status])
            later = resolve(self._new, after[status])
            yield from self._contents(f"{place} {status}", earlier, later, requests=False)

    def _contents(
        self, place: str, old: Document, new: Document, *, requests: bool
    ) -> Iterator[Change]:
        before, after = old.get("content", {}), new.get("content", {})
        for kind in before.keys() - after.keys():
            yield Change(place, f"{kind} is gone", breaking=True)
        for kind in after.keys() - before.keys():
            yield Change(place, f"{kind} is new", breaking=False)
        for kind in before.keys() & after.keys():
            yield from self._schemas(place, before[kind], after[kind], requests=requests)

    def _schemas(
        self, place: str, old: Document, new: Document, *, requests: bool
    ) -> Iterator[Change]:
        comparison = SchemaComparison(self._old, self._new, requests=requests)
        yield from comparison.changes(place, old.get("schema", {}), new.get("schema", {}))


def _by_key(document: Document) -> dict[Key, Operation]:
    return {(each.method, each.path): each for each in operations_of(document)}


def _parameters(operation: Operation) -> dict[Key, Document]:
    return {(each["in"], each["name"]): each for each in operation.parameters}


def _requirement(place: str, old: Document, new: Document) -> Iterator[Change]:
    before, after = old.get("required", False), new.get("required", False)
    if before != after:
        yield Change(place, f"it is {'required' if after else 'optional'} now", breaking=after)


def _alternatives(document: Document, operation: Operation) -> list[Requirement]:
    """Return the requirements that count (OpenAPI 3.1, 4.8.10); without any, a single empty one."""
    requirements = operation.definition.get("security", document.get("security", []))
    return list(requirements) or [{}]


def _asks_no_more(new: Requirement, old: Requirement) -> bool:
    return all(name in old and set(scopes) <= set(old[name]) for name, scopes in new.items())
