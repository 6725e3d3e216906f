"""Paths below serverdata, as clients name them."""

from typing import Final

from gameserver.archives.names import MAX_DEPTH, is_plain_name
from gameserver.files.exceptions import PathRefused

MAX_PATH_LENGTH: Final = 1_000


def names_of(path: str) -> tuple[str, ...]:
    """Return the names that lead to a file; none for serverdata itself.

    Raises `PathRefused` for a path that is absolute or leads upwards, and for names that are no
    plain names or not printable.
    """
    if path == "":
        return ()
    names = tuple(path.split("/"))
    if len(path) > MAX_PATH_LENGTH or len(names) > MAX_DEPTH:
        raise PathRefused("The path is too long.")
    if not all(is_name(name) for name in names):
        raise PathRefused("The path must be relative, without `..` and without odd characters.")
    return names


def is_name(name: str) -> bool:
    """Return whether a text can be the name of a file or folder in a request."""
    return name.isprintable() and is_plain_name(name)
