"""Pages of lists in memory, and the `Link` header that leads to the next page."""

import pytest
from fastapi import FastAPI, Request, Response
from hypothesis import given
from hypothesis import strategies as st

from bedplate.pagination import CurrentPaging, next_link, page_of
from bedplate.problems import install_problems
from bedplate.testing.client import client

app = FastAPI()
install_problems(app)
WORDS = ["alder", "beech", "cherry", "damson", "elm"]


@app.get("/tasks")
async def tasks(request: Request, response: Response) -> None:
    """Lead to the page behind this one."""
    response.headers["Link"] = next_link(request, cursor="a.b&c")


@app.get("/words")
async def words(paging: CurrentPaging, limit: int = 2) -> list[str]:
    """List the words in the order of the alphabet."""
    return paging(page_of(WORDS, key=str, after=paging.after, limit=limit))


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


@pytest.mark.parametrize("cursor", ["%", "é", "_w", "a", "AB", "a" * 16_386])
async def test_a_malformed_cursor_is_invalid_input(cursor: str) -> None:
    """Cursors are hexadecimal bytes, of a limited number."""
    async with client(app) as http:
        response = await http.get("/words", params={"cursor": cursor})
    assert response.status_code == 422
    assert [error["field"] for error in response.json()["errors"]] == ["cursor"]


@pytest.mark.parametrize("cursor", ["", "ff", "00", "7a7a", "ed" * 8_192])
async def test_a_cursor_that_leads_nowhere_has_nothing_behind_it(cursor: str) -> None:
    """Any bytes are read, also those that are no UTF-8."""
    async with client(app) as http:
        response = await http.get("/words", params={"cursor": cursor})
    assert (response.status_code, response.json()) == (200, [])


@given(st.lists(st.text(), unique=True), st.integers(1, 5))
def test_each_item_is_on_one_page(items: list[str], limit: int) -> None:
    """From key to key, in order; no page but the only one is empty."""
    pages = [page_of(items, key=str, after=None, limit=limit)]
    while (after := pages[-1].next_key) is not None:
        pages.append(page_of(items, key=str, after=after, limit=limit))
    assert [item for page in pages for item in page.items] == items
    assert all(0 < len(page.items) <= limit for page in pages) or not items


@given(st.sets(st.text(max_size=3)), st.text(max_size=3), st.integers(1, 5), st.booleans())
def test_a_sorted_list_continues_after_an_item_that_is_gone(
    items: set[str], after: str, limit: int, ascending: bool
) -> None:
    """The page has the first items beyond the key, in either order, whether it is there or not."""
    page = page_of(
        sorted(items, reverse=not ascending),
        key=str,
        after=after,
        limit=limit,
        order="ascending" if ascending else "descending",
    )
    beyond = sorted(item for item in items if (item > after if ascending else item < after))
    expected = beyond if ascending else beyond[::-1]
    assert page.items == expected[:limit]
    assert page.next_key == (page.items[-1] if len(expected) > limit else None)


def test_after_an_item_that_is_gone() -> None:
    """The oldest items go first, so nothing follows one that is gone."""
    page = page_of(WORDS, key=str, after="x", limit=2)
    assert (page.items, page.next_key) == ([], None)


def test_a_list_is_read_no_further_than_its_page() -> None:
    """A long file isn't read to its end for a short page."""
    numbers = iter(range(1_000_000))
    page_of(numbers, key=str, after="2", limit=2)
    assert next(numbers) < 10
