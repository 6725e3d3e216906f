"""Input made to break things: a clear 4xx that doesn't repeat it, and nothing is stored."""

import json
from typing import TYPE_CHECKING
from urllib.parse import quote

import httpx2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bedplate.testing.problems import ProblemOf

if TYPE_CHECKING:
    from backends.live.tests.conftest import Evening


CANARY = "canary4711"
DETERMINISTIC = settings(
    derandomize=True,
    deadline=None,
    max_examples=40,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
NOBODY = "00000000-0000-4000-8000-000000000000"

# What is no body of any of the calls: what is wrong, and the bytes.
BODIES: dict[str, bytes] = {
    "nothing": b"",
    "no JSON": CANARY.encode(),
    "cut off": b'{"nickname": "canary4711',
    "no UTF-8": b'{"nickname": "canary4711\xff"}',
    "UTF-16": json.dumps({"nickname": CANARY}).encode("utf-16"),
    "a raw zero byte": b'{"nickname": "canary4711\0"}',
    "U+0000": rb'{"code": "BCD5F2B", "nickname": "canary4711\u0000", "title": "a\u0000"}',
    "a lone surrogate": rb'{"code": "BCD5F2B", "nickname": "\ud800canary4711", "title": "\ud800"}',
    "NaN": b'{"title": NaN, "code": NaN, "time_factor": NaN, "tempo": NaN, "nickname": NaN}',
    "a huge number": b'{"title": 1e999, "code": 1, "time_factor": 1e999, "nickname": 1}',
    "true": b'{"title": true, "code": true, "time_factor": true, "nickname": true, "tempo": true}',
    "a list": b'["canary4711"]',
    "a text": b'"canary4711"',
    "deep lists": b'{"nickname": ' + b"[" * 50_000 + b"]" * 50_000 + b"}",
    "depth that never closes": b"[" * 100_000,
    "unknown fields": json.dumps({f"{CANARY}{n}": n for n in range(2_000)}).encode(),
    "text without end": json.dumps({"nickname": CANARY * 1000, "title": CANARY * 1000}).encode(),
}
FIELDS = ["title", "description", "max_participants", "settings", "code", "nickname", "role",
          "label", "tempo", "time_factor", "remove_answers"]  # fmt: skip
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=6,
)
TEXTS = st.text(st.characters(), max_size=60)


def calls(evening: "Evening", ann: str) -> list[tuple[str, str]]:
    """Return every call that has a body."""
    return [
        ("POST", "/api/v1/sessions"), ("PATCH", evening.path),
        ("POST", f"{evening.path}/links"), ("POST", f"{evening.path}/participants"),
        ("POST", f"{evening.path}/participants/check"), ("PUT", f"{evening.path}/tempo"),
        ("PATCH", f"{evening.path}/participants/{ann}"),
    ]  # fmt: skip


async def test_bodies_that_are_none_are_refused(
    evening: "Evening", problem_of: ProblemOf, subtests: pytest.Subtests
) -> None:
    """Each is a 400 or 422 everywhere that doesn't repeat the value; nothing is changed."""
    ann = await evening.join("Ann")
    before = await evening.get()
    for name, body in BODIES.items():
        for method, path in calls(evening, ann.id):
            host = ann.headers if path.endswith("tempo") else evening.host
            with subtests.test(name, path=path):
                headers = {**host, "Content-Type": "application/json"}
                response = await evening.api.request(method, path, content=body, headers=headers)
                assert 400 <= response.status_code < 500, response.text
                problem = problem_of(response, response.status_code)
                for error in problem.get("errors", []):
                    error.pop("field")
                assert CANARY not in json.dumps(problem)
    assert await evening.get() == before


async def test_ids_that_are_none_are_refused(evening: "Evening", subtests: pytest.Subtests) -> None:
    """What is no UUID is a 4xx wherever an id is expected."""
    for word in ("0", "%00", "%FF", "null", "9" * 400, NOBODY + "0", "%ED%A0%80", "{}"):
        for method, path in (
            ("GET", f"/api/v1/sessions/{word}"), ("POST", f"/api/v1/sessions/{word}/start"),
            ("POST", f"/api/v1/sessions/{word}/participants/rejoin"),
            ("POST", f"{evening.path}/participants/{word}/kick"),
            ("PATCH", f"{evening.path}/participants/{word}"),
            ("DELETE", f"{evening.path}/links/{word}"), ("GET", f"/api/v1/join/{word}"),
        ):  # fmt: skip
            with subtests.test(word[:10], path=path[:40]):
                body = {"time_factor": 2} if method == "PATCH" else None
                response = await evening.api.request(method, path, json=body, headers=evening.host)
                assert 400 <= response.status_code < 500, response.text


async def test_queries_and_headers_are_checked(
    evening: "Evening", subtests: pytest.Subtests
) -> None:
    """Page sizes, cursors, keys and tokens full of noise are 4xx."""
    people = f"{evening.path}/participants"
    for query in ("limit=0", "limit=1001", "limit=x", "limit=1e2", "cursor=x", "cursor=%00",
                  "cursor=" + "A" * 5000, "removed=2", "limit=" + "9" * 500):  # fmt: skip
        with subtests.test(query[:20]):
            response = await evening.api.get(f"{people}?{query}", headers=evening.host)
            assert response.status_code == 422, response.text
            if not query.startswith("removed"):
                response = await evening.api.get(f"/api/v1/sessions?{query}", headers=evening.host)
                assert response.status_code == 422 or query == "limit=1001", response.text
    noise = ["\xff\xfe", "x" * 60_000, "p_" + "\xff" * 64, "h_\x80", "p_", "h_", "p_" + "=" * 64]
    for value in noise:
        with subtests.test(value[:5]):
            sent = httpx2.Headers({"Authorization": f"Bearer {value}"}, encoding="latin-1")
            for method, path in (
                ("GET", evening.path), ("POST", f"{people}/rejoin"),
                ("POST", f"{people}/heartbeat"), ("GET", f"{evening.path}/state"),
                ("GET", "/api/v1/sessions"),
            ):  # fmt: skip
                response = await evening.api.request(method, path, headers=sent)
                assert response.status_code in {401, 403, 431}, response.text
    body = {"code": evening.code, "nickname": "Ann"}
    for key in ("", " ", "x" * 15, "x" * 256, "a b", "\xe4"):
        with subtests.test(key[:5]):
            sent = httpx2.Headers({"Idempotency-Key": key}, encoding="latin-1")
            response = await evening.api.post(people, json=body, headers=sent)
            assert response.status_code == 422, response.text


@DETERMINISTIC
@given(body=st.dictionaries(st.sampled_from(FIELDS), JSON | TEXTS, max_size=5) | JSON)
async def test_any_json_is_taken_or_refused(evening: "Evening", body: object) -> None:
    """Whatever JSON comes to whatever call, the answer is a 2xx or a 4xx."""
    headers = {**evening.host, "Content-Type": "application/json"}
    content = json.dumps(body).encode()
    for method, path in calls(evening, NOBODY):
        response = await evening.api.request(method, path, content=content, headers=headers)
        assert response.status_code < 500, response.text


@DETERMINISTIC
@given(nickname=TEXTS, again=st.booleans())
async def test_any_text_is_a_name_or_is_refused(
    evening: "Evening", nickname: str, again: bool
) -> None:
    """Whatever text is wanted, one joins under what it shows, or it is a 422; nobody has a twin."""
    content = json.dumps({"code": evening.code, "nickname": nickname}).encode()
    headers = {"Content-Type": "application/json"}
    path = f"{evening.path}/participants"
    for _ in range(1 + again):
        response = await evening.api.post(path, content=content, headers=headers)
        assert response.status_code in {201, 409, 422}, response.text
        if response.status_code == 201:
            assert 1 <= len(response.json()["nickname"]) <= 50


@DETERMINISTIC
@given(body=st.binary(max_size=60), path=st.binary(max_size=20), query=st.binary(max_size=40))
async def test_any_bytes_are_no_harm(
    evening: "Evening", body: bytes, path: bytes, query: bytes
) -> None:
    """Whatever bytes come as a body, a path or a query, the answer is no 5xx."""
    headers = {**evening.host, "Content-Type": "application/json"}
    for method, base in (
        ("POST", f"{evening.path}/participants"), ("GET", "/api/v1/sessions"),
        ("PATCH", f"{evening.path}/participants"), ("GET", "/api/v1/join"),
    ):  # fmt: skip
        address = f"{base}/{quote(path)}?{quote(query, safe='=&')}"
        response = await evening.api.request(method, address, content=body, headers=headers)
        assert response.status_code < 500
