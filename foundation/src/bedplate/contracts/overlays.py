"""OpenAPI Overlay 1.0: additions to a contract in a document of their own.

An overlay lists actions: a JSONPath (RFC 9535) selects targets, `update` is merged into each of
them, `remove` removes them. The published document itself never changes.
"""

import copy
from typing import TYPE_CHECKING, Any

from bedplate.contracts.exceptions import ContractError

if TYPE_CHECKING:
    from jsonpath import JSONPathMatch


def apply_overlay(document: dict[str, Any], overlay: dict[str, Any]) -> dict[str, Any]:
    """Return a copy of a document with every action of an overlay applied, in order.

    Raises `ContractError` if a target isn't a JSONPath or selects nothing: an addition without
    effect is a mistake.
    """
    if not str(overlay.get("overlay", "")).startswith("1."):
        raise ContractError("An overlay begins with `overlay: 1.0.0`.")
    result = copy.deepcopy(document)
    for action in overlay.get("actions", []):
        for match in _targets(result, action["target"]):
            if action.get("remove", False):
                _remove(match)
            else:
                _merge(match, action.get("update"))
    return result


def _targets(document: dict[str, Any], target: str) -> "list[JSONPathMatch]":
    from jsonpath import JSONPathError, finditer  # noqa: PLC0415 - most starts need no overlay

    try:
        matches = list(finditer(target, document))
    except JSONPathError as error:
        raise ContractError(f"The overlay's target {target} can't be read: {error}.") from None
    if not matches:
        raise ContractError(f"The overlay's target {target} finds nothing.")
    return matches


def _remove(match: "JSONPathMatch") -> None:
    if match.parent is None:
        raise ContractError("An overlay can't remove the whole document.")
    container: Any = match.parent.obj
    del container[match.parts[-1]]


def _merge(match: "JSONPathMatch", update: Any) -> None:
    """Merge objects by key and append to lists (Overlay 1.0, section 4.4.3.1)."""
    target: Any = match.obj
    if isinstance(target, list):
        target.append(copy.deepcopy(update))
    elif isinstance(target, dict) and isinstance(update, dict):
        _merge_objects(target, update)
    else:
        raise ContractError(f"The overlay's update doesn't fit its target {match.path}.")


def _merge_objects(target: dict[str, Any], update: dict[str, Any]) -> None:
    for key, value in update.items():
        current = target.get(key)
        if isinstance(current, dict) and isinstance(value, dict):
            _merge_objects(current, value)
        elif isinstance(current, list) and isinstance(value, list):
            current.extend(copy.deepcopy(value))
        else:
            target[key] = copy.deepcopy(value)
