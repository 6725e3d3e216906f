"""Input made to break things: a clear 4xx, the refused value never repeated, nothing stored."""

import json
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import quote

import httpx2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bedplate.testing.client import Client
from bedplate.testing.problems import ProblemOf

Headers = dict[str, str]
Stored = Callable[[], Awaitable[list[dict[str, Any]]]]

CANARY = "canary4711"
DETERMINISTIC = settings(
    derandomize=True,
    deadline=None,
    max_examples=60,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)

INVISIBLE = ("", " ", "\t\n", "\u200b", "\u200b\ufeff \u2060", "\u00ad", "\u3164", "\u2800")

# Bodies that are no task: what is wrong, and the bytes.
BODIES: dict[str, bytes] = {
    "nothing": b"",
    "no JSON": CANARY.encode(),
    "cut off": b'{"title": "canary4711',
    "trailing comma": b'{"title": "canary4711",}',
    "two documents": b'{"title": "canary4711"}{"title": "b"}',
    "single quotes": b"{'title': 'canary4711'}",
    "no UTF-8": b'{"title": "canary4711\xff"}',
    "overlong UTF-8": b'{"title": "canary4711\xc0\x80"}',
    "UTF-16": json.dumps({"title": CANARY}).encode("utf-16"),
    "UTF-32": json.dumps({"title": CANARY}).encode("utf-32"),
    "a raw zero byte": b'{"title": "canary4711\0"}',
    "U+0000": rb'{"title": "canary4711\u0000"}',
    "U+0000 in the description": rb'{"title": "a", "description": "canary4711\u0000"}',
    "U+0000 in a name": rb'{"title": "a", "canary4711\u0000": 1}',
    "a high surrogate": rb'{"title": "canary4711\ud800"}',
    "a low surrogate": rb'{"title": "canary4711\udfff"}',
    "surrogates the wrong way round": rb'{"title": "canary4711\udc00\ud800"}',
    "a surrogate in the description": rb'{"title": "a", "description": "\ud800canary4711"}',
    "a surrogate in a name": rb'{"title": "a", "\ud800": 1}',
    "NaN": b'{"title": "a", "completed": NaN}',
    "NaN as a title": b'{"title": NaN}',
    "infinity": b'{"title": "a", "completed": -Infinity}',
    "a huge number": b'{"title": "a", "completed": 1e999}',
    "a number of 5000 digits": b'{"title": "a", "completed": ' + b"9" * 5000 + b"}",
    "a number for a title": b'{"title": 4711}',
    "true for a title": b'{"title": true}',
    "null for a title": b'{"title": null}',
    "a list for a title": b'{"title": ["canary4711"]}',
    "an object for a title": b'{"title": {"canary4711": 1}}',
    "text for a boolean": b'{"title": "a", "completed": "canary4711"}',
    "a number for a boolean": b'{"title": "a", "completed": 1}',
    "null for a boolean": b'{"title": "a", "completed": null}',
    "a number for a description": b'{"title": "a", "description": 4711}',
    "no object": b'["canary4711"]',
    "a text": b'"canary4711"',
    "null": b"null",
    "no title": b"{}",
    "201 characters": json.dumps({"title": (CANARY * 21)[:201]}).encode(),
    "201 emoji": json.dumps({"title": "🧪" * 201}).encode(),
    "1001 characters": json.dumps({"title": "a", "description": CANARY * 101}).encode(),
    "deep lists": b'{"title": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "deep objects": b'{"title": ' + b'{"a":' * 100_000 + b"1" + b"}" * 100_001,
    "depth that never closes": b"[" * 500_000,
    "many unknown fields": json.dumps({f"{CANARY}{n}": n for n in range(20_000)}).encode(),
    **{f"title {text!a}": json.dumps({"title": text}).encode() for text in INVISIBLE},
}  # fmt: skip

# Ids that are no task's: not a number, or none that a 64-bit column can hold.
IDS = (
    "0", "-1", "abc", "1.0", "1e3", "1_0", "+1", "%201", "0x10", "01", "true", "null", "NaN",
    "%00", "1%00", "%ED%A0%80", "%FF", "٣", "²", str(2**63), str(2**64), "9" * 400, "9" * 5000,
)  # fmt: skip


OTHER_TYPES = (
    "text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x",
    "application/xml", "application/octet-stream", "", "json", "application/jsonp",
)  # fmt: skip


async def test_bodies_that_are_no_task_are_refused(
    unlimited_api: Client, ada: Headers, stored: Stored, problem_of: ProblemOf,
    subtests: pytest.Subtests,
) -> None:  # fmt: skip
    """Each is a 400 for POST, PUT and PATCH that doesn't repeat the value; nothing is stored."""
    task = await unlimited_api.post("/tasks", json={"title": "Milk"}, headers=ada)
    before = await stored()
    headers = {**ada, "Content-Type": "application/json"}
    for name, body in BODIES.items():
        for method, path in (("POST", "/tasks"), ("PUT", task.headers["location"])):
            with subtests.test(name, method=method):
                response = await unlimited_api.request(method, path, content=body, headers=headers)
                problem = problem_of(response, 400)
                assert_not_repeated(problem)
    assert await stored() == before


def assert_not_repeated(problem: dict[str, Any]) -> None:
    """Check that no member but the names of fields holds the refused value."""
    for error in problem.get("errors", []):
        error.pop("field")
    assert CANARY not in json.dumps(problem)


@pytest.mark.parametrize("method", ["PATCH", "POST"])
async def test_null_and_absence_are_told_apart(
    api: Client, ada: Headers, problem_of: ProblemOf, method: str
) -> None:
    """A null title is refused where an absent one may be fine."""
    task = await api.post("/tasks", json={"title": "Milk"}, headers=ada)
    path = task.headers["location"] if method == "PATCH" else "/tasks"
    problem_of(await api.request(method, path, json={"title": None}, headers=ada), 400)


async def test_ids_that_are_no_tasks_are_refused(
    unlimited_api: Client, ada: Headers, stored: Stored, problem_of: ProblemOf,
    subtests: pytest.Subtests,
) -> None:  # fmt: skip
    """An id in the path that is no 64-bit number is a 400 that doesn't repeat it."""
    await unlimited_api.post("/tasks", json={"title": "Milk"}, headers=ada)
    before = await stored()
    for text in IDS:
        for method, body in (("GET", None), ("DELETE", None), ("PATCH", {"title": "a"})):
            with subtests.test(id=text[:20], method=method):
                path = f"/tasks/{text}"
                response = await unlimited_api.request(method, path, json=body, headers=ada)
                problem = problem_of(response, 400)
                assert problem["errors"][0]["field"] == "task_id"
                assert "instance" not in problem
    assert await stored() == before


async def test_an_id_at_the_edge_is_merely_not_found(
    api: Client, ada: Headers, problem_of: ProblemOf
) -> None:
    """The largest number that a column can hold is an id like any other."""
    problem_of(await api.get(f"/tasks/{2**63 - 1}", headers=ada), 404)


async def test_only_json_is_read(
    api: Client, ada: Headers, stored: Stored, problem_of: ProblemOf
) -> None:
    """A body of another content type is a 400, even if it looks like JSON."""
    for content_type in OTHER_TYPES:
        headers = {**ada, "Content-Type": content_type}
        response = await api.post("/tasks", content=b'{"title": "canary4711"}', headers=headers)
        assert_not_repeated(problem_of(response, 400))
    assert await stored() == []


async def test_large_bodies_are_cut_short(
    api: Client, ada: Headers, stored: Stored, problem_of: ProblemOf
) -> None:
    """5 MB are a 413, declared or not, and whatever they hold."""
    whole = json.dumps({"title": "a", "description": CANARY * 500_000}).encode()

    async def in_parts() -> Any:
        for start in range(0, len(whole), 65_536):
            yield whole[start : start + 65_536]

    headers = {**ada, "Content-Type": "application/json"}
    for content in (whole, in_parts()):
        response = await api.post("/tasks", content=content, headers=headers)
        assert problem_of(response, 413)["code"] == "content_too_large"
        assert CANARY not in response.text
    assert await stored() == []


async def test_strange_headers_are_no_harm(
    api: Client, ada: Headers, subtests: pytest.Subtests
) -> None:
    """Headers full of bytes that mean nothing are ignored or refused, never a 5xx."""
    noise = [b"\xff\xfe", b"\x80" * 100, "ünïcode".encode(), b"'\"\\;=,", b"x" * 60_000]
    names = ["X-Request-ID", "traceparent", "Authorization", "Cookie", "If-None-Match",
             "Idempotency-Key", "X-Forwarded-For", "Accept", "Range", "Origin", "Host"]  # fmt: skip
    for name in names:
        for value in noise:
            with subtests.test(name=name, value=value[:10]):
                sent = {**ada, name: value.decode("latin-1")}
                headers = httpx2.Headers(sent, encoding="latin-1")
                response = await api.get("/tasks", headers=headers)
                assert response.status_code < 500


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=8,
)
TASKS = st.fixed_dictionaries(
    {},
    optional={
        "title": st.text(max_size=210) | JSON,
        "description": st.none() | st.text(max_size=50) | JSON,
        "completed": st.booleans() | JSON,
    },
)


@DETERMINISTIC
@given(body=TASKS | JSON)
async def test_any_json_is_a_task_or_is_refused(
    unlimited_api: Client, ada: Headers, body: object
) -> None:
    """Whatever JSON comes, it is stored and shown as it was sent, or it is a 400."""
    headers = {**ada, "Content-Type": "application/json"}
    response = await unlimited_api.post("/tasks", content=json.dumps(body), headers=headers)
    assert response.status_code in {201, 400}, response.text
    if response.status_code == 201:
        assert isinstance(body, dict)
        shown = response.json()
        assert shown["title"] in body["title"]
        assert shown["description"] == body.get("description")
        assert shown["completed"] == body.get("completed", False)
        assert (await unlimited_api.get("/tasks?limit=1", headers=ada)).json() == [shown]


@DETERMINISTIC
@given(body=st.binary(max_size=60), path=st.binary(max_size=20), query=st.binary(max_size=40))
async def test_any_bytes_are_no_harm(
    unlimited_api: Client, ada: Headers, body: bytes, path: bytes, query: bytes
) -> None:
    """Whatever bytes come as a body, a path or a query, the answer is no 5xx."""
    headers = {**ada, "Content-Type": "application/json"}
    for method, tail in (("POST", ""), ("GET", f"/{quote(path)}"), ("DELETE", f"/{quote(path)}")):
        address = f"/tasks{tail}?{quote(query, safe='=&')}"
        response = await unlimited_api.request(method, address, content=body, headers=headers)
        assert response.status_code < 500
