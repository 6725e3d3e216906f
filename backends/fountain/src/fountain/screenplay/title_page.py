"""The title page: `Key: value` lines from the first line to the first that can't be one."""

import re
from collections.abc import Iterator, Sequence

from fountain.screenplay.lines import is_blank, trim
from fountain.screenplay.model import TitleEntry

_KNOWN = re.compile(
    "title|credit|authors?|source|draft date|date|revision|contact|contact info|copyright|notes|"
    "description"
)
"""One of these keys makes a title page: `FADE IN:` and `He says: no` begin a play without one."""
_INDENT = "    "


def read_title_page(lines: Sequence[str]) -> tuple[tuple[TitleEntry, ...], int]:
    """Return the entries and the number of their lines, which is 0 without a title page.

    A repeated key is one entry.
    """
    first = next((at for at, line in enumerate(lines) if not is_blank(line)), len(lines))
    end = next((at for at in range(first, len(lines)) if is_blank(lines[at])), len(lines))
    entries: dict[str, tuple[str, list[str]]] = {}
    values: list[str] | None = None
    begins_below = False
    for at, line in enumerate(lines[first:end], first):
        key, colon, value = line.partition(":")
        is_entry = bool(colon) and key[:1].isalpha()
        # An address that nobody indented still belongs to the `Contact:` above it.
        if values is not None and (line[0] in " \t" or (begins_below and not is_entry)):
            values.append(trim(line))
        elif is_entry:
            _, values = entries.setdefault(key.casefold().rstrip(), (key.rstrip(" \t"), []))
            values += [trim(value)] if trim(value) else []
            begins_below = not trim(value)
        else:
            end = at
            break
    if not any(map(_KNOWN.fullmatch, entries)):
        return (), 0
    return tuple(TitleEntry(key, "\n".join(texts)) for key, texts in entries.values()), end


def title_page_lines(entries: Sequence[TitleEntry]) -> Iterator[str]:
    """Yield the lines of a title page."""
    for entry in entries:
        values = [trim(line) for line in entry.value.split("\n") if not is_blank(line)]
        if len(values) > 1:
            yield f"{entry.key}:"
            yield from (_INDENT + value for value in values)
        else:
            yield f"{entry.key}: {''.join(values)}".rstrip(" \t")
