"""Replies in RESP2 (https://valkey.io/topics/protocol), as bytes and as Python values."""

import re
from collections.abc import Callable
from typing import Any, NamedTuple

from redis.exceptions import InvalidResponse, NoScriptError, ReadOnlyError, ResponseError

MAX_BULK_BYTES = 512 * 1024 * 1024
"""What a server sends at most as one string: its `proto-max-bulk-len`."""

MAX_LINE_BYTES = 64 * 1024
MAX_DEPTH = 32

_LINE_END = b"\r\n"
_INTEGER = re.compile(rb"[+-]?[0-9]{1,19}")
_LENGTH = re.compile(rb"[0-9]{1,10}")
_NULL = b"-1"
# A type and a number of 20 characters.
_MAX_NUMBER_BYTES = 21
_STRING, _ERROR, _NUMBER, _BULK, _ARRAY = b"+-:$*"
_ERRORS: dict[str, type[ResponseError]] = {"NOSCRIPT": NoScriptError, "READONLY": ReadOnlyError}


class _Array(NamedTuple):
    """An array whose items are still arriving."""

    size: int
    items: list[Any]


class ReplyParser:
    """Passes each complete reply to `on_reply`, in whatever parts its bytes arrive.

    A string is bytes, an integer int, an array a list, null None, and an error a `ResponseError`
    that isn't raised.
    """

    def __init__(self, on_reply: Callable[[Any], None]) -> None:
        self._on_reply = on_reply
        self._unread = bytearray()
        self._needed = 0
        self._arrays: list[_Array] = []

    def feed(self, data: bytes) -> None:
        """Read the next bytes of the connection.

        Raises `redis.exceptions.InvalidResponse` for what is not RESP2. No reply after that can be
        read; those before it have been passed on.
        """
        if self._unread:
            self._unread += data
            if len(self._unread) < self._needed:
                return
            data = bytes(self._unread)
            self._unread.clear()
        position = 0
        while position < len(data):
            end = self._read(data, position)
            if end is None:
                self._unread += data[position:]
                return
            position = end

    def _read(self, data: bytes, start: int) -> int | None:
        """Read what begins at `start`; return where it ends, or None if that hasn't arrived.

        `_needed` is then the number of bytes from `start` without which reading is in vain.
        """
        end = data.find(_LINE_END, start, start + MAX_LINE_BYTES)
        kind = data[start]
        if end < 0:
            _check_unfinished(kind, len(data) - start)
            self._needed = 0
            return None
        line = data[start + 1 : end]
        after = end + len(_LINE_END)
        if kind == _BULK:
            return self._read_bulk(data, start, line, after)
        if kind == _ARRAY:
            self._begin_array(line)
        elif kind == _STRING:
            self._add(line)
        elif kind == _NUMBER:
            self._add(_integer(line))
        elif kind == _ERROR:
            self._add(_error(line))
        else:
            raise InvalidResponse(_NOT_RESP)
        return after

    def _read_bulk(self, data: bytes, start: int, line: bytes, begin: int) -> int | None:
        if line == _NULL:
            self._add(None)
            return begin
        end = begin + _length(line, MAX_BULK_BYTES)
        after = end + len(_LINE_END)
        if len(data) < after:
            self._needed = after - start
            return None
        if data[end:after] != _LINE_END:
            raise InvalidResponse("A string from Redis is longer than it says.")
        self._add(data[begin:end])
        return after

    def _begin_array(self, line: bytes) -> None:
        if line == _NULL:
            self._add(None)
            return
        size = _length(line, MAX_BULK_BYTES)
        if size == 0:
            self._add([])
            return
        if len(self._arrays) == MAX_DEPTH:
            raise InvalidResponse(f"Arrays from Redis are nested deeper than {MAX_DEPTH}.")
        self._arrays.append(_Array(size, []))

    def _add(self, value: Any) -> None:
        """Add a complete value to the array that it belongs to, or pass it on as a reply."""
        while self._arrays:
            size, items = self._arrays[-1]
            items.append(value)
            if len(items) < size:
                return
            value = self._arrays.pop().items
        self._on_reply(value)


_NOT_RESP = "The server doesn't speak the protocol of Redis."


def _check_unfinished(kind: int, length: int) -> None:
    """Raise `InvalidResponse` if no rest could make a reply of a line so long."""
    if kind in {_STRING, _ERROR}:
        limit = MAX_LINE_BYTES
    elif kind in {_NUMBER, _BULK, _ARRAY}:
        limit = _MAX_NUMBER_BYTES + 1
    else:
        raise InvalidResponse(_NOT_RESP)
    if length > limit:
        raise InvalidResponse("A line from Redis is too long.")


def _length(line: bytes, maximum: int) -> int:
    if not _LENGTH.fullmatch(line) or int(line) > maximum:
        raise InvalidResponse("Redis sent a length that can't be.")
    return int(line)


def _integer(line: bytes) -> int:
    if not _INTEGER.fullmatch(line):
        raise InvalidResponse("Redis sent an integer that is none.")
    return int(line)


def _error(line: bytes) -> ResponseError:
    """Return the exception for an error reply; redis-py names the known ones without their code."""
    text = line.decode("utf-8", "replace")
    code, _, description = text.partition(" ")
    known = _ERRORS.get(code)
    return known(description) if known else ResponseError(text)
