"""Markdown tables of the figures."""

from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

Value = TypeVar("Value")
Cells = Mapping[str, Mapping[str, Value]]
"""By row, then by column."""


def table(
    title: str, columns: Sequence[str], cells: Cells[Value], show: Callable[[Value], str]
) -> str:
    """Return a table with a row for each name; what was not measured is a dash."""
    lines = [_line([title, *columns]), _line(["---", *("---:" for _ in columns)])]
    lines += [
        _line([name, *(show(row[column]) if column in row else "-" for column in columns)])
        for name, row in cells.items()
    ]
    return "\n".join(lines)


def ratios(cells: Cells[float], base: str) -> Cells[float]:
    """Return each cell as so many times the base row's cell."""
    return {
        name: {column: value / cells[base][column] for column, value in row.items()}
        for name, row in cells.items()
        if name != base
    }


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
