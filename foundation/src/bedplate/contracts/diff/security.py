"""Who may call an operation, compared."""

from collections.abc import Iterator, Mapping
from typing import Any

from bedplate.contracts.diff.change import Change
from bedplate.contracts.document import Operation

Document = Mapping[str, Any]
Requirement = Mapping[str, list[str]]


def security_changes(
    place: str, old: tuple[Document, Operation], new: tuple[Document, Operation]
) -> Iterator[Change]:
    """Yield the changes of an operation's alternative security requirements.

    A change breaks a client when every remaining alternative asks for more than the client's own.
    """
    before, after = _ways(*old), _ways(*new)
    lost = [way for way in before if not any(_asks_no_more(other, way) for other in after)]
    for way in lost:
        name = " with ".join(way) or "no proof of who calls"
        yield Change(place, f"{name} is no longer enough to call it", breaking=True)
    if not lost and before != after:
        yield Change(place, "it asks for other proof of who calls", breaking=False)


def _ways(document: Document, operation: Operation) -> list[Requirement]:
    """Return the requirements that count (OpenAPI 3.1, 4.8.10); without any, a single empty one."""
    requirements = operation.definition.get("security", document.get("security", []))
    return list(requirements) or [{}]


def _asks_no_more(new: Requirement, old: Requirement) -> bool:
    return all(name in old and set(scopes) <= set(old[name]) for name, scopes in new.items())
