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
        if _is_plain(value):
            return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
        return rfc8785.dumps(value)
    except (TypeError, ValueError, RecursionError) as error:
        raise NotCanonical(str(error)) from None


def _is_plain(value: Any) -> bool:
    kind = type(value)
    if kind is str or kind is bool or value is None:
        return True
    if kind is int:
        return bool(-MAX_EXACT_INTEGER <= value <= MAX_EXACT_INTEGER)
    if kind is dict:
        keys_are_plain = all(type(key) is str and key.isascii() for key in value)
        return keys_are_plain and all(map(_is_plain, value.values()))
    return kind is list and all(map(_is_plain, value))
