"""Lists in pages: every item once, whatever the size of a page; a cursor is a cursor or a 422."""

from bedplate.testing.client import Client
from bedplate.testing.problems import ProblemOf


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
