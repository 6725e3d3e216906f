"""Keysets: cursors that point at places, and nothing that a client sends is an error of ours."""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter
from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    Integer,
    MetaData,
    SmallInteger,
    String,
    Table,
    select,
)

from bedplate.database import GUID, Database, UTCDateTime
from bedplate.database.keysets import Keyset
from bedplate.database.pages import PagedList
from bedplate.problems import InvalidInput

OpenDatabase = Callable[..., Awaitable[Database]]

METADATA = MetaData()
KEYS = Table(
    "keys",
    METADATA,
    Column("id", BigInteger, primary_key=True),
    Column("small", SmallInteger, nullable=False),
    Column("number", Integer, nullable=False),
    Column("at", UTCDateTime, nullable=False),
    Column("guid", GUID, nullable=False),
    Column("name", String(100), nullable=False),
    Column("maybe", Integer),
    Column("real", Float, nullable=False),
    Column("yes", Boolean, nullable=False),
)
KEYSET = Keyset(*(KEYS.c[name] for name in ("small", "number", "at", "guid", "name", "id")))
LIST = PagedList(
    select(*(KEYS.c[name] for name in KEYSET.names)), KEYSET, TypeAdapter(list[dict[str, Any]])
)
TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=100)
NUMBERS = st.integers(-(2**63), 2**63 - 1)


@given(
    NUMBERS,
    NUMBERS,
    st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 31), timezones=st.just(UTC)),  # noqa: DTZ001
    st.uuids(),
    TEXTS,
    NUMBERS,
)
def test_a_cursor_holds_its_keys(
    small: int, number: int, at: datetime, guid: UUID, name: str, key: int
) -> None:
    """Whatever the keys, to the microsecond, in characters that a URL takes as they are."""
    cursor = KEYSET.encode([small, number, at, guid, name, key])
    assert KEYSET.decode(cursor) == {
        "after_small": small,
        "after_number": number,
        "after_at": at,
        "after_guid": guid,
        "after_name": name,
        "after_id": key,
    }
    assert all(character.isalnum() or character in "._-" for character in cursor)


CURSOR = KEYSET.encode([1, 2, datetime(2026, 1, 1, tzinfo=UTC), UUID(int=3), "é", 4])
PARTS = CURSOR.split(".")


def spliced(place: int, part: str) -> str:
    """Return a good cursor with one part replaced."""
    return ".".join([*PARTS[:place], part, *PARTS[place + 1 :]])


HOSTILE = [
    "",
    ".",
    "....." * 1000,
    CURSOR[:-1],
    CURSOR + ".0",
    CURSOR + "\n",
    "\n" + CURSOR,
    CURSOR.upper(),
    " " + CURSOR,
    spliced(0, "-000000000000001"),
    spliced(0, "\u0660" * 16),
    spliced(3, "g" * 32),
    spliced(4, "A"),  # base64 of less than a byte
    spliced(4, "gA"),  # not UTF-8
    spliced(4, "AA"),  # U+0000
    spliced(4, "7aCA"),  # a lone surrogate
    spliced(4, "=" * 4),
    "\0",
    "\ud800",
    "null",
    "[]",
]


@pytest.mark.parametrize("cursor", HOSTILE)
def test_a_broken_cursor_is_refused(cursor: str) -> None:
    """As invalid input, naming the field, without the cursor."""
    with pytest.raises(InvalidInput) as refusal:
        KEYSET.decode(cursor)
    errors: Any = refusal.value.members["errors"]
    error = errors[0]
    assert (error["field"], error["code"]) == ("cursor", "cursor_invalid")
    assert not cursor.strip() or cursor not in str(error)


@pytest.fixture(name="database")
async def _database(open_database: OpenDatabase, database_url: str) -> Database:
    return await open_database(database_url, METADATA)


@settings(
    deadline=None, max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.text(max_size=60)
    | st.tuples(st.integers(0, 5), st.text("0123456789abcdefAZ_-", max_size=40)).map(
        lambda pair: spliced(*pair)
    )
)
async def test_no_cursor_is_an_error_of_the_database(database: Database, cursor: str) -> None:
    """Numbers and instants at their limits too: a page, or invalid input."""
    with suppress(InvalidInput):
        await LIST.page(database.read(), limit=1, cursor=cursor)


@pytest.mark.parametrize("extreme", ["0" * 16, "f" * 16])
async def test_the_ends_of_every_key_are_pages(database: Database, extreme: str) -> None:
    """64-bit numbers for columns of 16, and instants before and after all that are known."""
    cursor = ".".join([*[extreme] * 3, extreme * 2, "", extreme])
    page = await LIST.page(database.read(), limit=1, cursor=cursor)
    assert (page.body, page.next_cursor) == (b"[]", None)


@pytest.mark.parametrize("name", ["maybe", "real", "yes"])
def test_a_column_that_cannot_be_a_key_is_refused(name: str) -> None:
    """NULL has no place in an order; numbers with a fraction and booleans make no cursor."""
    with pytest.raises(TypeError, match=f"{name} can't be a key"):
        Keyset(KEYS.c[name])
