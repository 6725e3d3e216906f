"""The parts of a screenplay that a script has no field for, as text beside it, and back.

A title page is more than title, author and description; a heading's level is more than its title.
Nothing is stored where it follows from these.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from fountain.screenplay.model import Heading, Screenplay, TitleEntry
from fountain.screenplay.parser import read_body
from fountain.screenplay.title_page import read_title_page, title_page_lines

_FIELDS = {"title": "title", "author": "author", "authors": "author", "description": "description"}
"""The fields of a script by the keys of a title page that they hold."""
_ELSEWHERE = "="
"""In a stored title page, stands for a value that the script holds."""


def implied_level(text: str) -> int:
    """Return the level of a heading of which only the text is known."""
    heading = Heading(text)
    return heading.level if read_body([text]) == [heading] else 1


def script_fields(page: Sequence[TitleEntry], fallback_title: str) -> dict[str, str]:
    """Return title, author and description as far as a title page has them."""
    values = {field: page[at].value for field, at in _indexes(page).items() if page[at].value}
    return {"title": fallback_title, **values}


def page_context(screenplay: Screenplay, script: Mapping[str, str]) -> dict[str, str] | None:
    """Return what to store beside a script with these fields; None if they are sufficient."""
    page = screenplay.title_page
    files = {"crlf": screenplay.crlf, "byte order mark": screenplay.byte_order_mark}
    flags = {name: "yes" for name, is_so in files.items() if is_so}
    if page == _usual_page(script) and not flags:
        return None
    stored = list(page)
    fields = {field: at for field, at in _indexes(page).items() if page[at].value}
    for at in fields.values():
        stored[at] = replace(page[at], value=_ELSEWHERE)
    untitled = {} if "title" in fields else {"untitled": script["title"]}
    text = "\n".join(title_page_lines(stored))
    return {"fountain": "title page", "text": text, **untitled, **flags}


def screenplay_of(script: Mapping[str, str], stored: Mapping[str, str] | None) -> Screenplay:
    """Return a screenplay without elements: the title page of a script and its `page_context`."""
    if stored is None:
        return Screenplay(_usual_page(script))
    page = list(read_title_page(stored.get("text", "").split("\n"))[0])
    indexes = _indexes(page)
    for field, value in script.items():
        if field == "title" and stored.get("untitled") == value:
            continue
        if field in indexes and page[indexes[field]].value in {_ELSEWHERE, ""}:
            page[indexes[field]] = replace(page[indexes[field]], value=value)
        else:
            page.append(TitleEntry(field.capitalize(), value))
    return Screenplay(tuple(page), (), "crlf" in stored, "byte order mark" in stored)


def _usual_page(script: Mapping[str, str]) -> tuple[TitleEntry, ...]:
    order = dict.fromkeys(_FIELDS.values())
    return tuple(TitleEntry(name.capitalize(), script[name]) for name in order if name in script)


def _indexes(page: Sequence[TitleEntry]) -> dict[str, int]:
    """Return the index of the first entry of a title page for each field of a script."""
    indexes: dict[str, int] = {}
    for at, entry in enumerate(page):
        field = _FIELDS.get(entry.key.casefold())
        if field is not None:
            indexes.setdefault(field, at)
    return indexes
