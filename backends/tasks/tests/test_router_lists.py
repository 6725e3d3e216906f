"""GET /tasks: order, pages and filters, on SQLite and on PostgreSQL."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from bedplate.testing.client import Client
from bedplate.testing.clock import SettableClock
from bedplate.testing.problems import ProblemOf

Headers = dict[str, str]
AddTask = Callable[..., Awaitable[dict[str, Any]]]


# Each is no cursor that the API ever gave out.
BROKEN_CURSORS = (
    "", "x", "é", "\0", "0", "0" * 33, "0" * 16, f"{'0' * 16}.{'0' * 15}", f"{'0' * 16},{'0' * 16}",
    f"{'0' * 16}.{'0' * 16}.{'0' * 16}", f"{'A' * 16}.{'0' * 16}", f"{'g' * 16}.{'0' * 16}",
    f"{'0' * 16}.{'0' * 16}\n", f" {'0' * 16}.{'0' * 15}", f"{'٣' * 16}.{'0' * 16}", "a" * 5000,
)  # fmt: skip


async def walk(api: Client, user: Headers, address: str | None) -> list[list[str]]:
    """Return the titles of every page, following the Link headers."""
    pages = []
    while address is not None:
        response = await api.get(address, headers=user)
        assert response.status_code == 200, response.text
        pages.append([task["title"] for task in response.json()])
        link = response.links.get("next")
        address = link["url"] if link else None
    return pages


async def test_the_list_is_newest_first_in_pages(
    api: Client, ada: Headers, add_task: AddTask
) -> None:
    """Following the Link headers yields every task once, the newest first, in full pages."""
    for number in range(7):
        await add_task(ada, title=f"{number}")
    assert await walk(api, ada, "/tasks?limit=3") == [list("654"), list("321"), list("0")]
    assert await walk(api, ada, "/tasks?limit=7") == [list("6543210")]
    assert await walk(api, ada, "/tasks") == [list("6543210")]


async def test_tasks_of_one_instant_come_in_the_order_of_their_ids(
    api: Client, ada: Headers, add_task: AddTask
) -> None:
    """Tasks with equal times are parted between pages without loss or repetition."""
    with SettableClock(datetime.now(UTC)):
        for number in range(5):
            await add_task(ada, title=f"{number}")
        assert await walk(api, ada, "/tasks?limit=2") == [list("43"), list("21"), list("0")]


async def test_a_walk_is_not_disturbed_by_changes(
    api: Client, ada: Headers, add_task: AddTask
) -> None:
    """Tasks that come or go between two pages neither shift nor repeat the others."""
    tasks = [await add_task(ada, title=f"{number}") for number in range(4)]
    first = await api.get("/tasks?limit=2", headers=ada)
    await add_task(ada, title="new")
    await api.delete(f"/tasks/{tasks[2]['id']}", headers=ada)
    assert await walk(api, ada, first.links["next"]["url"]) == [["1", "0"]]


async def test_any_cursor_of_the_right_form_is_a_place_in_the_list(
    api: Client, ada: Headers, add_task: AddTask
) -> None:
    """The earliest place has nothing behind it and the latest everything, as far as numbers go."""
    await add_task(ada, title="here")
    for first, last, pages in (("0", "0", [[]]), ("0", "f", [[]]), ("f", "f", [["here"]])):
        cursor = f"{first * 16}.{last * 16}"
        assert await walk(api, ada, f"/tasks?cursor={cursor}") == pages


async def test_an_empty_list_is_an_empty_array(api: Client, ada: Headers) -> None:
    """Without tasks the list is `[]`, with no next page."""
    response = await api.get("/tasks", headers=ada)
    assert (response.json(), "link" in response.headers) == ([], False)


async def test_the_list_shows_ones_own_tasks_only(
    api: Client, ada: Headers, grace: Headers, add_task: AddTask
) -> None:
    """Another user's tasks are in no page, whatever cursor leads there."""
    await add_task(ada, title="mine")
    for number in range(3):
        await add_task(grace, title=f"{number}")
    theirs = await api.get("/tasks?limit=1", headers=grace)
    assert await walk(api, ada, "/tasks?limit=1") == [["mine"]]
    assert await walk(api, ada, theirs.links["next"]["url"]) == [["mine"]]


async def test_the_filters_select(
    api: Client, ada: Headers, add_task: AddTask, subtests: pytest.Subtests
) -> None:
    """`completed` and `q` select alone and together; `q` looks in titles and descriptions."""
    await add_task(ada, title="Buy milk", completed=True)
    await add_task(ada, title="Buy OATS", description="for the milk")
    await add_task(ada, title="Sleep", description="8 h", completed=True)
    cases = {
        "": ["Sleep", "Buy OATS", "Buy milk"],
        "completed=true": ["Sleep", "Buy milk"],
        "completed=false": ["Buy OATS"],
        "q=milk": ["Buy OATS", "Buy milk"],
        "q=oats": ["Buy OATS"],
        "q=MILK&completed=true": ["Buy milk"],
        "q=": ["Sleep", "Buy OATS", "Buy milk"],
        "q=cheese": [],
    }
    for query, titles in cases.items():
        with subtests.test(query=query):
            assert await walk(api, ada, f"/tasks?{query}") == [titles]


async def test_a_search_is_literal(api: Client, ada: Headers, add_task: AddTask) -> None:
    """Characters that mean something to SQL's LIKE, or in an address, mean themselves."""
    titles = ["100%", "100 per cent", "a_b", "axb", "a\\b", "it's", "a&b=c+d", "🧪 ok"]
    for title in titles:
        await add_task(ada, title=title)
    searches = {
        "%": ["100%"],
        "_": ["a_b"],
        "\\": ["a\\b"],
        "'": ["it's"],
        "&b=c+": ["a&b=c+d"],
        "🧪": ["🧪 ok"],
        "%%": [],
    }
    for text, found in searches.items():
        response = await api.get("/tasks", params={"q": text}, headers=ada)
        assert [task["title"] for task in response.json()] == found


async def test_the_next_page_keeps_limit_and_filters(
    api: Client, ada: Headers, add_task: AddTask
) -> None:
    """The address of the next page repeats every parameter, encoded anew, with another cursor."""
    for number in range(3):
        await add_task(ada, title=f"50% & more {number}", completed=True)
    await add_task(ada, title="50% & more, open")
    query = {"limit": "1", "completed": "true", "q": "% & m"}
    first = await api.get("/tasks", params=query, headers=ada)
    following = parse_qs(urlsplit(first.links["next"]["url"]).query)
    assert {name: following[name] for name in query} == {n: [v] for n, v in query.items()}
    pages = await walk(api, ada, first.links["next"]["url"])
    assert pages == [["50% & more 1"], ["50% & more 0"]]


async def test_other_queries_are_refused(
    api: Client, ada: Headers, problem_of: ProblemOf, subtests: pytest.Subtests
) -> None:
    """A query parameter that isn't exactly what the contract says is named in a 400."""
    numbers = ("0", "-1", "1001", "1.0", "1e2", "1_0", " 1", "+1", "0x1", "true", "٣", "", "9" * 99)
    booleans = ("1", "yes", "True", "null", "")
    cases = [
        *(("limit", value) for value in numbers),
        *(("completed", value) for value in booleans),
        *(("cursor", value) for value in BROKEN_CURSORS),
        ("q", "x" * 201),
        ("q", "a\0b"),
    ]
    for name, value in cases:
        with subtests.test(**{name: value}):
            response = await api.get("/tasks", params={name: value}, headers=ada)
            problem = problem_of(response, 400)
            assert [error["field"] for error in problem["errors"]] == [name]


async def test_the_list_shows_what_was_stored(api: Client, ada: Headers, add_task: AddTask) -> None:
    """A task in the list is, byte for byte in its members, what its own address shows."""
    texts = [
        '"\\/\b\f\n\r\t"',
        "\x01\x1f\x7f",
        "</script>\u2028",
        "é ß 漢 🧪",
        "e\u0301",
        "\ufffd\ufffe",
    ]
    for text in texts:
        task = await add_task(ada, title=f"<{text}>", description=text)
        assert task["description"] == text
        shown = await api.get(f"/tasks/{task['id']}", headers=ada)
        (listed, *_) = (await api.get("/tasks", headers=ada)).json()
        assert listed == shown.json() == task


async def test_a_thousand_tasks_are_one_page(
    api: Client, ada: Headers, add_task: AddTask, add_many: Callable[..., Awaitable[None]]
) -> None:
    """`limit=1000` shows a thousand tasks; the thousand and first is on the next page."""
    task = await add_task(ada, title="oldest")
    await add_many(task["user_id"], 1000)
    full = await api.get("/tasks?limit=1000", headers=ada)
    assert len(full.json()) == 1000
    assert len((await api.get("/tasks", headers=ada)).json()) == 100
    assert await walk(api, ada, full.links["next"]["url"]) == [["oldest"]]
