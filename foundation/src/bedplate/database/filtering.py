"""Filters on declared columns: each combination of them is a statement that is compiled once."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, bindparam

_PREFIX = "filter_"  # apart from the names that a repository gives its own parameters


@dataclass(frozen=True)
class Chosen:
    """The filters of one request: their names, as the key of a cache, and their values."""

    names: frozenset[str]
    values: dict[str, Any]


class Filters:
    """The columns that a list may be filtered by: `Filters(completed=Task.completed)`."""

    def __init__(self, **columns: Any) -> None:
        self._columns = columns

    def choose(self, **values: Any) -> Chosen:
        """Return the filters that have a value, not None. Raises KeyError for an unknown name."""
        if unknown := values.keys() - self._columns.keys():
            raise KeyError(*unknown)
        given = {name: value for name, value in values.items() if value is not None}
        return Chosen(frozenset(given), {_PREFIX + name: value for name, value in given.items()})

    def conditions(self, names: frozenset[str]) -> list[ColumnElement[bool]]:
        """Return what WHERE takes for the filters of these names."""
        return [
            self._columns[name] == bindparam(_PREFIX + name, type_=self._columns[name].type)
            for name in sorted(names)
        ]
