"""An UPDATE of some of its columns: one statement for every choice of them."""

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import Boolean, ColumnElement, bindparam, case, or_


def new_value_if_set(column: Any) -> ColumnElement[Any]:
    """Return the parameter `new_NAME` where the parameter `set_NAME` is true, else the column."""
    is_set, new_value = _parameters(column)
    return case((is_set, new_value), else_=column)


def any_other_value(*columns: Any) -> ColumnElement[bool]:
    """Return whether `new_value_if_set` makes one of these columns another than it is.

    An update that changes nothing then makes no new version.
    """
    pairs = [(column, *_parameters(column)) for column in columns]
    return or_(*(is_set & column.is_distinct_from(value) for column, is_set, value in pairs))


def values_if_set(names: Iterable[str], fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parameters of `new_value_if_set` for these names, of which `fields` are set."""
    values: dict[str, Any] = {}
    for name in names:
        values[f"set_{name}"] = name in fields
        values[f"new_{name}"] = fields.get(name)
    return values


def _parameters(column: Any) -> tuple[ColumnElement[bool], ColumnElement[Any]]:
    is_set = bindparam(f"set_{column.key}", type_=Boolean)
    return is_set, bindparam(f"new_{column.key}", type_=column.type)
