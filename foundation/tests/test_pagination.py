"""Pages of lists in memory, and the `Link` header that leads to the next page."""

from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Annotated
from uuid import UUID

import pytest
from fastapi import FastAPI, Query, Request, Response
from hypothesis import given
from hypothesis import strategies as st

from bedplate.pagination import Cursor, Key, Slice, next_link, page_of
from bedplate.problems import InvalidInput, install_problems
from bedplate.testing.client import client

app = FastAPI()
install_problems(app)
WORDS = ["alder", "beech", "cherry", "damson", "elm"]


@app.get("/tasks")
async def tasks(request: Request, response: Response) -> None:
    """Lead to the page behind this one."""
    response.headers["Link"] = next_link(request, cursor="a.b&c")


@app.get("/words")
async def words(
    request: Request,
    response: Response,
    limit: int = 2,
    cursor: Annotated[Cursor | None, Query()] = None,
) -> list[str]:
    """List the words in the order of the alphabet."""
    page = page_of(WORDS, key=str, cursor=cursor, limit=limit)
    if page.next_cursor is not None:
        response.headers["Link"] = next_link(request, cursor=page.next_cursor)
    return page.items


@pytest.mark.parametrize(
    ("query", "target"),
    [
        ("", "/tasks?cursor=a.b%26c"),
        ("?limit=5&q=a%20b%26c", "/tasks?limit=5&q=a+b%26c&cursor=a.b%26c"),
        ("?cursor=old&limit=5", "/tasks?limit=5&cursor=a.b%26c"),
        ("?tag=a&tag=b&empty=", "/tasks?tag=a&tag=b&empty=&cursor=a.b%26c"),
        ("?q=%3E%22%0d%0aX:%20y", "/tasks?q=%3E%22%0D%0AX%3A+y&cursor=a.b%26c"),
        ("?q=%C3%A9%FF", "/tasks?q=%C3%A9%EF%BF%BD&cursor=a.b%26c"),
    ],
)
async def test_the_rest_of_the_query_stays(query: str, target: str) -> None:
    """Repeated and empty parameters too; nothing breaks out of the header or its brackets."""
    async with client(app) as http:
        response = await http.get(f"/tasks{query}")
    assert response.headers["link"] == f'<{target}>; rel="next"'


async def test_the_prefix_of_a_mounted_app_is_part_of_it() -> None:
    """Several backends in one process live under a path each."""
    outer = FastAPI()
    outer.mount("/inner", app)
    async with client(outer) as http:
        response = await http.get("/inner/tasks")
    assert response.headers["link"].startswith("</inner/tasks?cursor=")
    assert response.links["next"]["url"] == "/inner/tasks?cursor=a.b%26c"


async def test_links_lead_through_the_whole_list() -> None:
    """The last page has no link."""
    pages = []
    async with client(app) as http:
        url = "/words?limit=2"
        while url:
            response = await http.get(url)
            pages.append(response.json())
            url = response.links.get("next", {}).get("url", "")
    assert pages == [["alder", "beech"], ["cherry", "damson"], ["elm"]]


@pytest.mark.parametrize(
    "cursor", ["%00", "a%20b", "é", "A", "gA", "AA", "7aCA", "YQ.YQ", "....", "=", "YQ%0A"]
)
async def test_a_malformed_cursor_is_invalid_input(cursor: str) -> None:
    """Also when it has the characters of a cursor but the keys of another list."""
    async with client(app) as http:
        response = await http.get(f"/words?cursor={cursor}")
    assert response.status_code == 422
    assert [error["field"] for error in response.json()["errors"]] == ["cursor"]


Row = tuple[int, datetime, UUID, str]
ROWS = st.tuples(
    st.integers(-(2**63), 2**63 - 1) | st.integers(0, 2),
    st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 31), timezones=st.just(UTC)),  # noqa: DTZ001
    st.uuids(),
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")),
)


def identity(row: Row) -> Row:
    """Return the row: it is its own key."""
    return row


def all_pages(rows: list[Row], limit: int, *, descending: bool) -> list[Slice[Row]]:
    """Return all pages of a list."""
    pages = [page_of(rows, key=identity, cursor=None, limit=limit, descending=descending)]
    while (cursor := pages[-1].next_cursor) is not None:
        pages.append(page_of(rows, key=identity, cursor=cursor, limit=limit, descending=descending))
    return pages


@given(rows=st.lists(ROWS, unique=True), limit=st.integers(1, 5), descending=st.booleans())
def test_each_item_is_in_one_page(rows: list[Row], limit: int, *, descending: bool) -> None:
    """Whatever the keys, in order, and no page but the only one is empty."""
    pages = all_pages(rows, limit, descending=descending)
    assert [row for page in pages for row in page.items] == sorted(rows, reverse=descending)
    assert all(0 < len(page.items) <= limit for page in pages) or not rows


@given(st.sets(st.integers(0, 30)), st.sets(st.integers(0, 30)), st.integers(1, 5))
def test_items_come_and_go_between_pages(before: set[int], after: set[int], limit: int) -> None:
    """Items that stay are listed once, and the last item of a page may go."""
    first = page_of(before, key=int, cursor=None, limit=limit)
    if first.next_cursor is not None:
        rest = page_of(after, key=int, cursor=first.next_cursor, limit=100)
        assert rest.items == sorted(number for number in after if number > first.items[-1])
        assert rest.next_cursor is None


class Color(StrEnum):
    """A key of a subclass of `str`."""

    BLUE = "blue"
    RED = "red"


@pytest.mark.parametrize(
    "keys", [list(Color), [datetime.now(UTC), datetime.now(UTC) + timedelta(1)], [UUID(int=1)] * 2]
)
def test_keys_of_every_type(keys: list[Key]) -> None:
    """A cursor for another type of key is malformed."""
    cursor = page_of(keys, key=lambda key: key, cursor=None, limit=1).next_cursor
    assert cursor is not None
    with pytest.raises(InvalidInput):
        page_of([(1, 2)], key=lambda pair: pair, cursor=cursor, limit=1)


def test_an_empty_list_has_one_empty_page() -> None:
    """A list may have lost all its items since its first page."""
    assert page_of([], key=str, cursor="YQ", limit=1) == Slice([], None)


def test_a_page_has_room_for_an_item() -> None:
    """A limit of nought would be a list without end."""
    with pytest.raises(ValueError, match="at least one item"):
        page_of(WORDS, key=str, cursor=None, limit=0)
