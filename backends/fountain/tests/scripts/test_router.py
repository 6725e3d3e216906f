"""Scripts and headings over HTTP: what is stored, what is answered, what is refused."""

from typing import Any

import pytest

from bedplate.testing.client import Client

ROMEO = {"title": "Romeo and Juliet", "author": "William Shakespeare", "description": "A feud."}
BEYOND = 2**63


async def test_a_script_is_stored_under_a_number(scripts_api: Client) -> None:
    """The answer names identifier and number, and the script is read and listed with them."""
    made = await scripts_api.post("/scripts", json=ROMEO)
    assert (made.status_code, made.json()) == (201, {"scriptId": 1, "sequenceNumber": 1})
    stored = {**ROMEO, "scriptId": 1, "sequenceNumber": 1}
    assert (await scripts_api.get("/scripts/1")).json() == stored
    assert (await scripts_api.get("/scripts")).json() == [stored]


async def test_what_is_unset_is_left_out(scripts_api: Client) -> None:
    """A script without author and description is answered without them, never with null."""
    await scripts_api.post("/scripts", json={"title": "Hamlet"})
    stored = {"scriptId": 1, "title": "Hamlet", "sequenceNumber": 1}
    assert (await scripts_api.get("/scripts/1")).json() == stored
    assert (await scripts_api.get("/scripts")).json() == [stored]
    structure = {"script": stored, "sections": [], "elements": []}
    assert (await scripts_api.get("/scripts/1/structure")).json() == structure


async def test_a_script_changes_as_far_as_is_sent(scripts_api: Client) -> None:
    """Members that aren't sent stay; nothing sent changes nothing."""
    await scripts_api.post("/scripts", json=ROMEO)
    answer = await scripts_api.put("/scripts/1", json={"title": "Second draft"})
    assert (answer.status_code, answer.json()) == (200, {"scriptId": 1, "sequenceNumber": 1})
    changed = (await scripts_api.get("/scripts/1")).json()
    assert changed == {**ROMEO, "title": "Second draft", "scriptId": 1, "sequenceNumber": 1}
    assert (await scripts_api.put("/scripts/1", json={})).status_code == 200
    assert (await scripts_api.get("/scripts/1")).json() == changed


async def test_headings_share_the_counter_with_scripts(scripts_api: Client) -> None:
    """One counter numbers scripts and headings; a heading is listed with its title."""
    await scripts_api.post("/scripts", json=ROMEO)
    made = await scripts_api.post("/scripts/1/sections", json={"title": "Act 1"})
    assert made.status_code == 201
    assert made.json() == {"headingId": 1, "scriptId": 1, "sequenceNumber": 2}
    await scripts_api.post("/scripts/1/sections", json={"title": "Act 2"})
    listed = (await scripts_api.get("/scripts/1/sections")).json()
    assert [(item["title"], item["sequenceNumber"]) for item in listed] == [
        ("Act 1", 2),
        ("Act 2", 3),
    ]
    assert (await scripts_api.post("/scripts", json=ROMEO)).json()["sequenceNumber"] == 4
    assert (await scripts_api.get("/scripts/2/sections")).json() == []
    assert (await scripts_api.get("/scripts/1/sections/2")).json() == listed[1]


@pytest.mark.parametrize("place", ["/scripts/1/sections?headingId=1", "/scripts/1/sections/1"])
async def test_a_heading_changes_by_query_and_by_path(scripts_api: Client, place: str) -> None:
    """Both readings of the contract change the same heading."""
    await scripts_api.post("/scripts", json=ROMEO)
    await scripts_api.post("/scripts/1/sections", json={"title": "Act 1"})
    answer = await scripts_api.put(place, json={"title": "Act One"})
    assert answer.status_code == 200
    assert answer.json() == {"headingId": 1, "scriptId": 1, "sequenceNumber": 2}
    assert (await scripts_api.put(place, json={})).status_code == 200
    assert (await scripts_api.get("/scripts/1/sections")).json()[0]["title"] == "Act One"


UNKNOWN: list[tuple[str, str, Any]] = [
    ("GET", "/scripts/9", None),
    ("PUT", "/scripts/9", {}),
    ("GET", "/scripts/9/structure", None),
    ("GET", "/scripts/9/sections", None),
    ("POST", "/scripts/9/sections", {"title": "Act 1"}),
    ("PUT", "/scripts/9/sections?headingId=1", {}),
    ("PUT", "/scripts/1/sections?headingId=9", {}),
    ("PUT", "/scripts/2/sections/1", {"title": "Another script's"}),
    ("GET", "/scripts/1/sections/9", None),
    ("GET", "/scripts/2/sections/1", None),
    ("GET", "/scripts/1/elements/9", None),
    ("GET", "/scripts/2/elements/1", None),
    ("POST", "/scripts/9/sections/reorder", {"elements": []}),
    ("GET", "/scripts/9/elements", None),
    ("POST", "/scripts/9/elements", {}),
    ("POST", "/scripts/1/elements", {"headingId": 9}),
    ("POST", "/scripts/2/elements", {"headingId": 1}),
    ("POST", "/scripts/9/elements/reorder", {"elementIds": []}),
    ("GET", f"/scripts/{BEYOND - 1}", None),
    ("GET", "/scripts/-1", None),
]
REFUSED: list[Any] = [
    {},
    {"title": None},
    {"title": 1},
    {"title": "Hamlet", "author": None},
    {"title": "a\0b"},
    {"title": "x" * 100_001},
    [],
    None,
]


async def test_what_there_is_not_is_a_404(scripts_api: Client) -> None:
    """An unknown script or heading, or a heading of another script, is a 404 with a message."""
    await scripts_api.post("/scripts", json=ROMEO)
    await scripts_api.post("/scripts", json=ROMEO)
    await scripts_api.post("/scripts/1/sections", json={"title": "Act 1"})
    await scripts_api.post("/scripts/1/elements", json={"headingId": 1})
    before = (await scripts_api.get("/scripts/1/structure")).json()
    for method, path, body in UNKNOWN:
        answer = await scripts_api.request(method, path, json=body)
        assert (path, answer.status_code) == (path, 404)
        assert answer.json().keys() == {"message"}
    assert (await scripts_api.get("/scripts/1/structure")).json() == before
    assert (await scripts_api.get("/scripts/2/structure")).json()["elements"] == []


async def test_what_the_contract_refuses_is_a_400(scripts_api: Client) -> None:
    """A body that the contract doesn't allow is refused, and nothing is stored."""
    for body in REFUSED:
        answer = await scripts_api.post("/scripts", json=body)
        assert (body, answer.status_code) == (body, 400)
        assert answer.json().keys() == {"message"}
    assert (await scripts_api.get("/scripts")).json() == []


async def test_an_identifier_that_is_none_is_a_400(scripts_api: Client) -> None:
    """An identifier beyond 64 bits, or none at all, is refused in path and query."""
    for number in (str(BEYOND), "1.5", "true", "one", "%20", "+1", "%00"):
        assert (await scripts_api.get(f"/scripts/{number}")).status_code == 400
        path = f"/scripts/1/sections?headingId={number}"
        assert (await scripts_api.put(path, json={})).status_code == 400
        assert (await scripts_api.get(f"/scripts/1/elements?from={number}")).status_code == 400
    assert (await scripts_api.put("/scripts/1/sections", json={})).status_code == 400
