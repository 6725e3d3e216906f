"""What a script doesn't hold of a screenplay's page, as text beside it, and back.

A title page is more than title, author and description, and a heading's level is more than its
title. Where it follows from them nothing is stored.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from fountain.screenplay.model import Heading, Screenplay, TitleEntry
from fountain.screenplay.parser import read_body
from fountain.screenplay.title_page import read_title_page, title_page_lines

FIELDS = {
    "title": "title",
    "author": "author",
    "authors": "author",
    "description": "description",
}
"""The keys of a title page that a script holds, and the fields it holds them in."""

_ELSEWHERE = "="
"""Stands in a stored title page for a value that the script holds."""


def told_level(text: str) -> int:
    """Return the level that a heading has if nothing else is known: scenes look like scenes."""
    heading = Heading(text)
    return heading.level if read_body([text]) == [heading] else 1


def script_fields(page: Sequence[TitleEntry], fallback_title: str) -> dict[str, str]:
    """Return title, author and description as far as a title page has them."""
    return {"title": fallback_title} | {
        field: page[at].value for field, at in _held(page).items() if page[at].value
    }


def page_text(screenplay: Screenplay, script: Mapping[str, str]) -> dict[str, str] | None:
    """Return what is to be stored beside a script with these fields; None if it says it all."""
    page = screenplay.title_page
    files = {"crlf": screenplay.crlf, "byte order mark": screenplay.byte_order_mark}
    flags = {name: "yes" for name, is_so in files.items() if is_so}
    if page == _usual_page(script) and not flags:
        return None
    stored = list(page)
    for at in _held(page).values():
        if page[at].value:
            stored[at] = replace(page[at], value=_ELSEWHERE)
    untitled = {} if "title" in _held_with_value(page) else {"untitled": script["title"]}
    text = "\n".join(title_page_lines(stored))
    return {"fountain": "title page", "text": text, **untitled, **flags}


def screenplay_of(script: Mapping[str, str], stored: Mapping[str, str] | None) -> Screenplay:
    """Return a screenplay without elements: the title page of a script, and what is beside it."""
    if stored is None:
        return Screenplay(_usual_page(script))
    page = list(read_title_page(stored.get("text", "").split("\n"))[0])
    held = _held(page)
    for field, value in script.items():
        if field == "title" and stored.get("untitled") == value:
            continue
        if field in held and page[held[field]].value in {_ELSEWHERE, ""}:
            page[held[field]] = replace(page[held[field]], value=value)
        else:
            page.append(TitleEntry(field.capitalize(), value))
    return Screenplay(tuple(page), (), "crlf" in stored, "byte order mark" in stored)


def _usual_page(script: Mapping[str, str]) -> tuple[TitleEntry, ...]:
    order = dict.fromkeys(FIELDS.values())
    return tuple(TitleEntry(name.capitalize(), script[name]) for name in order if name in script)


def _held(page: Sequence[TitleEntry]) -> dict[str, int]:
    """Return for each field of a script the first entry of a title page that is it."""
    found: dict[str, int] = {}
    for at, entry in enumerate(page):
        field = FIELDS.get(entry.key.casefold())
        if field is not None:
            found.setdefault(field, at)
    return found


def _held_with_value(page: Sequence[TitleEntry]) -> set[str]:
    return {field for field, at in _held(page).items() if page[at].value}
