"""The start page."""

import re

from bedplate.backend import Backend
from bedplate.settings import Settings
from bedplate.start_page import render


def test_texts_of_a_backend_are_escaped() -> None:
    """A title or summary with markup is shown as text."""
    backend = Backend(
        name="odd", title="<b>Odd</b>", summary="a & b", settings=Settings, routers=[]
    )
    page = render({"": backend})
    assert "<b>" not in page
    assert "&lt;b&gt;Odd&lt;/b&gt;" in page
    assert "a &amp; b" in page


def test_it_loads_nothing_from_elsewhere() -> None:
    """Every link leads to this server, below its prefix; nothing is fetched to show the page."""
    backend = Backend(name="plain", title="Plain", settings=Settings, routers=[])
    page = render({"": backend}, "/api")
    links = re.findall(r'href="([^"]*)"', page)
    assert {"/api/docs", "/api/openapi.json", "/api/healthz", "/api/statusz"} <= {*links}
    assert all(link.startswith("/api/") for link in links)
    assert "src=" not in page
    assert "://" not in page
