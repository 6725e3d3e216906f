"""Sorting by declared columns: `sort=-created_at,title`."""

import inspect
import re
from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import Query
from sqlalchemy import ColumnElement

from bedplate.problems import InvalidInput

Order = tuple[tuple[str, bool], ...]
"""Names with whether they are descending; it can be the key of a cache of statements."""

_MAX_FIELDS = 3


class Sorting:
    """The dependency that reads `sort`, over the columns that a client may sort by.

    `Sorting({"created_at": Task.created_at, "title": Task.title}, "-created_at", Task.id)`

    `default` is the order without `sort`. `unique` ends every order, so that each has one sequence.
    A client may name three fields at most: each order is a statement of its own.
    """

    def __init__(self, columns: Mapping[str, Any], default: str, unique: Any) -> None:
        self._columns = columns
        self._unique = unique
        names = "|".join(re.escape(name) for name in columns)
        self._pattern = f"-?(?:{names})(?:,-?(?:{names})){{0,{_MAX_FIELDS - 1}}}"
        description = (
            f"Fields to sort by, descending after a minus: {', '.join(columns)}. "
            f"Without it: {default}"
        )
        shown = Query(description=description, json_schema_extra={"pattern": f"^{self._pattern}$"})
        # FastAPI asks for it: the parameter's description names this list's own columns.
        keyword = inspect.Parameter.KEYWORD_ONLY
        annotation = Annotated[str, shown]
        parameter = inspect.Parameter("sort", keyword, default=default, annotation=annotation)
        self.__signature__ = inspect.Signature([parameter])
        self._read(default)

    async def __call__(self, *, sort: str) -> Order:
        """Return the order that a client asks for. Raises `InvalidInput` for any other name."""
        if not re.fullmatch(self._pattern, sort):
            message = (
                f"Input should be 1 to {_MAX_FIELDS} of {', '.join(self._columns)}, separated by "
                "commas, with a minus before each that descends"
            )
            raise InvalidInput([{"field": "sort", "message": message, "code": "sort_invalid"}])
        return self._read(sort)

    def _read(self, sort: str) -> Order:
        named: dict[str, bool] = {}
        for field in sort.split(","):
            name = field.removeprefix("-")
            if name not in self._columns:
                raise ValueError(f"{name} is not among the columns.")
            # What is named a second time is sorted by already.
            named.setdefault(name, field.startswith("-"))
        return tuple(named.items())

    def columns(self, order: Order) -> list[ColumnElement[Any]]:
        """Return what ORDER BY takes; NULL comes last, whichever the direction."""
        directed = [_directed(self._columns[name], descending) for name, descending in order]
        return [*directed, _directed(self._unique, order[0][1])]


def _directed(column: Any, descending: bool) -> ColumnElement[Any]:
    directed: ColumnElement[Any] = column.desc() if descending else column.asc()
    return directed.nulls_last() if getattr(column, "nullable", False) else directed
