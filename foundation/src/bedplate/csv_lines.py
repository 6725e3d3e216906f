"""Lines of CSV (RFC 4180) that people open in a spreadsheet."""

import csv
import io
from collections.abc import Iterable
from typing import Final

# What a spreadsheet takes for a formula, also after white space, and in full width.
_FORMULA: Final = ("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20")
_WHITE: Final = ("\t", "\r", "\n")


def csv_line(cells: Iterable[str]) -> bytes:
    """Return a line of CSV, with its end."""
    line = io.StringIO(newline="")
    csv.writer(line).writerow(cells)
    return line.getvalue().encode()


def harmless(text: str) -> str:
    """Return a text as a cell that no spreadsheet takes for a formula."""
    dangerous = text.startswith(_WHITE) or text.lstrip().startswith(_FORMULA)
    return f"'{text}" if dangerous else text
