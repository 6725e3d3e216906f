"""An UPDATE of some of its columns: one statement for every choice of them."""

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import Boolean, ColumnElement, bindparam, case


def new_value_if_set(column: Any) -> ColumnElement[Any]:
    """Return the parameter `new_NAME` where the parameter `set_NAME` is true, else the column."""
    new_value = bindparam(f"new_{column.key}", type_=column.type)
    return case((bindparam(f"set_{column.key}", type_=Boolean), new_value), else_=column)


def values_if_set(names: Iterable[str], fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parameters of `new_value_if_set` for these names, of which `fields` are set."""
    values: dict[str, Any] = {}
    for name in names:
        values[f"set_{name}"] = name in fields
        values[f"new_{name}"] = fields.get(name)
    return values
