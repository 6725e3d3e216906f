"""Keyset pagination: cursors, pages of lists in memory, and the `Link` header (RFC 8288).

Each page begins after the last item of the page before it, however the list has changed since.
Lists in a database take `bedplate.database.pages`, which uses the same cursors.
"""

import base64
import binascii
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Final, Generic, TypeVar
from urllib.parse import parse_qsl, urlencode
from uuid import UUID

from fastapi.requests import HTTPConnection
from pydantic import StringConstraints

from bedplate.problems import InvalidInput
from bedplate.schemas import MIN_INT64

Item = TypeVar("Item")
Key = int | datetime | UUID | str
"""What a list can be sorted by; integers have 64 bits."""

Cursor = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.-]*$")]
"""The query parameter of a list in memory; `page_of` validates the rest."""

MIN_INSTANT: Final = datetime.min.replace(tzinfo=UTC) + timedelta(microseconds=1)
MAX_INSTANT: Final = datetime.max.replace(tzinfo=UTC) - timedelta(microseconds=1)
"""asyncpg takes the instants beyond these two for PostgreSQL's infinities."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_MIN_MICROSECONDS = (MIN_INSTANT - _EPOCH) // _MICROSECOND
_MAX_MICROSECONDS = (MAX_INSTANT - _EPOCH) // _MICROSECOND


@dataclass(frozen=True)
class KeyCodec:
    """Writes one type of key into a cursor and reads it back; `read` raises ValueError."""

    pattern: str
    write: Callable[[Any], str]
    read: Callable[[str], Any]


def _write_number(value: int) -> str:
    return f"{value - MIN_INT64:016x}"


def _read_number(part: str) -> int:
    return int(part, 16) + MIN_INT64


def _write_instant(value: datetime) -> str:
    return _write_number((value - _EPOCH) // _MICROSECOND)


def _read_instant(part: str) -> datetime:
    microseconds = min(max(_read_number(part), _MIN_MICROSECONDS), _MAX_MICROSECONDS)
    return _EPOCH + microseconds * _MICROSECOND


def _write_text(value: str) -> str:
    return base64.urlsafe_b64encode(value.encode()).decode().rstrip("=")


def _read_text(part: str) -> str:
    padded = part.encode() + b"=" * (-len(part) % 4)
    text = base64.urlsafe_b64decode(padded).decode()
    if "\0" in text:
        raise ValueError
    return text


KEY_CODECS: Final[dict[type, KeyCodec]] = {
    int: KeyCodec("[0-9a-f]{16}", _write_number, _read_number),
    datetime: KeyCodec("[0-9a-f]{16}", _write_instant, _read_instant),
    UUID: KeyCodec("[0-9a-f]{32}", lambda value: value.hex, UUID),
    str: KeyCodec("[A-Za-z0-9_-]*", _write_text, _read_text),
}


def cursor_pattern(codecs: Iterable[KeyCodec]) -> str:
    """Return the regular expression of cursors with these keys."""
    return "^" + r"\.".join(codec.pattern for codec in codecs) + "$"


def write_cursor(codecs: Iterable[KeyCodec], keys: Sequence[Any]) -> str:
    """Return the cursor that points at the item with these keys."""
    return ".".join(codec.write(key) for codec, key in zip(codecs, keys, strict=True))


def read_cursor(codecs: Sequence[KeyCodec], cursor: str) -> list[Any]:
    """Return the keys in a cursor. Raises `InvalidInput` if it is malformed."""
    try:
        if re.fullmatch(cursor_pattern(codecs), cursor):
            parts = zip(codecs, cursor.split("."), strict=True)
            return [codec.read(part) for codec, part in parts]
    except (ValueError, binascii.Error):
        pass
    message = "Input should be a cursor from a Link header"
    raise InvalidInput([{"field": "cursor", "message": message, "code": "cursor_invalid"}])


@dataclass(frozen=True)
class Slice(Generic[Item]):
    """The items of one page, and the cursor of the next page if there is one."""

    items: list[Item]
    next_cursor: str | None


def page_of(
    items: Iterable[Item],
    *,
    key: Callable[[Item], Key | tuple[Key, ...]],
    cursor: str | None,
    limit: int,
    descending: bool = False,
) -> Slice[Item]:
    """Return at most `limit` items after `cursor`, sorted by `key`.

    The key must be unique in the list, and its types the same for each item. Raises
    `InvalidInput` for a malformed cursor, ValueError for a limit below 1.
    """
    if limit < 1:
        raise ValueError("A page needs room for at least one item.")
    keyed = sorted(((_as_tuple(key(item)), item) for item in items), key=_first, reverse=descending)
    if not keyed:
        return Slice([], None)
    codecs = [_codec_of(part) for part in keyed[0][0]]
    if cursor is not None:
        last = tuple(read_cursor(codecs, cursor))
        keyed = [pair for pair in keyed if (pair[0] < last if descending else pair[0] > last)]
    page = keyed[:limit]
    next_cursor = write_cursor(codecs, page[-1][0]) if len(keyed) > limit else None
    return Slice([item for _, item in page], next_cursor)


def _as_tuple(key: Key | tuple[Key, ...]) -> tuple[Any, ...]:
    return key if isinstance(key, tuple) else (key,)


def _codec_of(key: Key) -> KeyCodec:
    return next(codec for kind, codec in KEY_CODECS.items() if isinstance(key, kind))


def _first(pair: tuple[tuple[Any, ...], Item]) -> tuple[Any, ...]:
    return pair[0]


def next_link(connection: HTTPConnection, **parameters: object) -> str:
    """Return the value of `Link` for the same request with other query parameters.

    `next_link(request, cursor=page.next_cursor)` keeps all other parameters of the query, repeated
    ones too.
    """
    query = connection.scope["query_string"].decode("latin-1")
    others = [
        (name, value)
        for name, value in parse_qsl(query, keep_blank_values=True)
        if name not in parameters
    ]
    changed = [(name, str(value)) for name, value in parameters.items()]
    return f'<{connection.url.path}?{urlencode([*others, *changed])}>; rel="next"'
