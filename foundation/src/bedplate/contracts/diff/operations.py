"""Operations compared: paths, ids, who may call, parameters, bodies, statuses."""

from collections.abc import Iterator, Mapping
from typing import Any

from bedplate.contracts.diff.change import Change
from bedplate.contracts.diff.schemas import Direction, SchemaComparison
from bedplate.contracts.diff.security import security_changes
from bedplate.contracts.document import Operation, operations_of, resolve

Document = Mapping[str, Any]
Key = tuple[str, str]


def compare(old: Document, new: Document) -> list[Change]:
    """Return every change that a client could notice, in the order of their places.

    Raises `ContractError` for an operation without an id and for a reference that leads nowhere.
    """
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
        yield from security_changes(place, (self._old, old), (self._new, new))
        yield from self._parameters(place, old, new)
        yield from self._body(place, old, new)
        yield from self._responses(place, old, new)

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
            yield from self._parameter(f"{place} {' '.join(key)}", before[key], after[key])

    def _parameter(self, place: str, old: Document, new: Document) -> Iterator[Change]:
        if new.get("required", False) and not old.get("required", False):
            yield Change(place, "it is required now", breaking=True)
        elif old.get("required", False) and not new.get("required", False):
            yield Change(place, "it is optional now", breaking=False)
        schemas = old.get("schema", {}), new.get("schema", {})
        yield from self._schemas(Direction.REQUEST, place, *schemas)

    def _body(self, place: str, old: Operation, new: Operation) -> Iterator[Change]:
        before = resolve(self._old, old.definition.get("requestBody", {}))
        after = resolve(self._new, new.definition.get("requestBody", {}))
        if after.get("required", False) and not before.get("required", False):
            yield Change(f"{place} body", "it is required now", breaking=True)
        yield from self._contents(Direction.REQUEST, f"{place} body", before, after)

    def _responses(self, place: str, old: Operation, new: Operation) -> Iterator[Change]:
        before, after = old.definition["responses"], new.definition["responses"]
        for status in before.keys() - after.keys():
            gone = f"the status {status} is gone"
            yield Change(place, gone, breaking=status.startswith("2"))
        for status in after.keys() - before.keys():
            yield Change(place, f"the status {status} is new", breaking=status.startswith("2"))
        for status in before.keys() & after.keys():
            earlier = resolve(self._old, before[status])
            later = resolve(self._new, after[status])
            yield from self._contents(Direction.RESPONSE, f"{place} {status}", earlier, later)

    def _contents(
        self, direction: Direction, place: str, old: Document, new: Document
    ) -> Iterator[Change]:
        before, after = old.get("content", {}), new.get("content", {})
        for media_type in before.keys() - after.keys():
            yield Change(place, f"{media_type} is gone", breaking=True)
        for media_type in after.keys() - before.keys():
            yield Change(place, f"{media_type} is new", breaking=False)
        for media_type in before.keys() & after.keys():
            schemas = before[media_type].get("schema", {}), after[media_type].get("schema", {})
            yield from self._schemas(direction, place, *schemas)

    def _schemas(
        self, direction: Direction, place: str, old: Document, new: Document
    ) -> Iterator[Change]:
        yield from SchemaComparison(self._old, self._new, direction).changes(place, old, new)


def _by_key(document: Document) -> dict[Key, Operation]:
    return {(each.method, each.path): each for each in operations_of(document)}


def _parameters(operation: Operation) -> dict[Key, Document]:
    return {(each["in"], each["name"]): each for each in operation.parameters}
