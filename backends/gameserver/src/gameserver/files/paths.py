"""Paths below serverdata, as clients name them."""

from typing import Final

from gameserver.files.exceptions import PathRefused

MAX_PATH_LENGTH: Final = 1_000
_MAX_NAME_LENGTH: Final = 255
_MAX_NAMES: Final = 32


def names_of(path: str) -> tuple[str, ...]:
    """Return the names that lead to a file; none for serverdata itself.

    Raises `PathRefused` for what is absolute, leads upwards, or has names that no honest file has:
    empty ones, control characters, backslashes, lone surrogates.
    """
    if path == "":
        return ()
    names = tuple(path.split("/"))
    if len(path) > MAX_PATH_LENGTH or len(names) > _MAX_NAMES:
        raise PathRefused("The path is too long.")
    if not all(is_name(name) for name in names):
        raise PathRefused("The path must be relative, without `..` and without odd characters.")
    return names


def is_name(name: str) -> bool:
    """Return whether a text is the name of a file or folder, and nothing that leads elsewhere."""
    return (
        name not in {"", ".", ".."}
        and "/" not in name
        and "\\" not in name
        and name.isprintable()
        and _size(name) <= _MAX_NAME_LENGTH
    )


def _size(name: str) -> int:
    try:
        return len(name.encode())
    except UnicodeEncodeError:
        return _MAX_NAME_LENGTH + 1
