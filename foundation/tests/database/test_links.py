"""The `Link` header that leads to the next page."""

import pytest
from fastapi import FastAPI, Request, Response

from bedplate.database.links import next_link
from bedplate.testing.client import client

app = FastAPI()


@app.get("/tasks")
async def tasks(request: Request, response: Response) -> None:
    """Lead to the page behind this one."""
    response.headers["Link"] = next_link(request, cursor="a.b&c")


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
