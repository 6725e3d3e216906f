"""Lists in pages: every item once, whatever the size of a page; a cursor is a cursor or a 422."""

from collections.abc import Callable
from typing import Any

import httpx2
import pytest

from bedplate.testing.client import Client
from gameserver.pages import page_of

ProblemOf = Callable[[httpx2.Response, int], dict[str, Any]]


@pytest.mark.parametrize("limit", [1, 2, 3, 4])
def test_pages_make_the_whole_list(limit: int) -> None:
    """From key to key, nothing is missing and nothing comes twice."""
    items: list[str] = []
    after: str | None = None
    while True:
        page = page_of("abc", key=lambda item: item, after=after, limit=limit)
        items += page.items
        if (after := page.next_key) is None:
            break
    assert items == ["a", "b", "c"]


def test_after_an_item_that_is_gone() -> None:
    """The oldest items go first, so nothing follows one that is gone."""
    page = page_of("abc", key=lambda item: item, after="x", limit=2)
    assert (page.items, page.next_key) == ([], None)


async def test_links_lead_through_the_audit(api: Client, problem_of: ProblemOf) -> None:
    """`Link` leads from page to page to the last entry, and keeps the rest of the query."""
    for _ in range(5):
        await api.post("/server/kill")
    url, pages = "/audit?limit=2", []
    while True:
        response = await api.get(url)
        pages.append(response.json())
        if "Link" not in response.headers:
            break
        url = response.links["next"]["url"]
        assert "limit=2" in url
    assert [len(page) for page in pages] == [2, 2, 1]
    assert len({entry["at"] for page in pages for entry in page}) == 5
    for path in ("/audit", "/players", "/players/sessions", "/operations"):
        for cursor in ("%", "é", "_w", "a", "AB", "a" * 16_386):
            problem = problem_of(await api.get(path, params={"cursor": cursor}), 422)
            assert problem["errors"][0]["field"] == "cursor"
