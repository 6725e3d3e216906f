"""Input made to break things, for every operation that the OpenAPI document lists: never a 5xx."""

import json
from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx2
import pytest
from fastapi import FastAPI

from bedplate.testing.client import Client, client

Document = dict[str, Any]

# Values for a member of a JSON body, as they are written in JSON.
VALUES = (
    r'"\u0000"', r'"a\u0000b"', r'"\ud800"', r'"\udfff\ud800"', r'"a\nb\r/stop"', r'"\u2028"',
    '"../../x"', '"o[]"', '""', '"' + "x" * 100_000 + '"', "true", "null", "NaN", "-Infinity",
    "1e999", "1.5", "-1", str(2**63), "9" * 400, "9" * 5_000, "[]", "{}", '{"a": null}',
    "[" * 60 + "]" * 60, "[" * 5_000 + "]" * 5_000, r'["\ud800", "\u0000", true, 1e999]',
    r'{"\ud800": "\u0000"}',
)  # fmt: skip

# Whole bodies.
BODIES = (
    b"", b"null", b"[]", b"{", b"\xff\xfe", b'{"a": 1}', rb'{"\u0000": "\ud800"}', b"[" * 100_000,
    b'{"a":' * 5_000 + b"1" + b"}" * 5_000, b"NaN", b"9" * 5_000, b'"' + b"x" * 1_100_000 + b'"',
)  # fmt: skip

# Pieces of a path, or values of a query, as they are written in a URL.
TEXTS = (
    "%00", "a%00", "%ED%A0%80", "%FF", "%0A%2Fstop", "..", "%2e%2e%2fx", "o%5B%5D", "-1", "true",
    "NaN", "1e999", str(2**63), "9" * 400, "9" * 5_000, "x" * 2_000, "%F0%9F%A7%AA", "%20",
    "0001-01-01T00:00:00%2B23:59", "9999-12-31T23:59:59-23:59",
)  # fmt: skip

# What a body needs beside the member that is tried.
WHOLE = {
    "amount": 1, "unit": "day", "reason": "Why", "role": "suplayer", "command": "/time",
    "pinned": True, "name": "Nightly", "cron": "0 4 * * *", "action": {"kind": "backup"},
    "url": "https://example.com/x.zip", "mods": [{"mod_id": "lanternlib"}],
}  # fmt: skip
ACTION = {
    "kind": "restart", "warn_seconds": [60], "warning": "Soon", "wait_until_empty": True,
    "wait_seconds": 60,
}  # fmt: skip


@pytest.fixture
async def unlimited_api(unlimited_app: FastAPI, admin: dict[str, str]) -> AsyncIterator[Client]:
    """Give a client for thousands of requests; a 5xx fails the test."""
    async with client(unlimited_app, headers=admin) as opened:
        yield opened


@pytest.fixture
def document(unlimited_app: FastAPI) -> Document:
    """Give the OpenAPI document."""
    return unlimited_app.openapi()


def operations(document: Document) -> Iterator[tuple[str, str, Document]]:
    """Yield method, path and description of every operation; those that stop the game come last."""
    paths = sorted(document["paths"].items(), key=lambda pair: pair[0].startswith("/server"))
    for path, methods in paths:
        for method, operation in methods.items():
            yield method.upper(), path, operation


def address(path: str, operation: Document, **values: str) -> str:
    """Return a path with its parameters filled in: those of `values`, and harmless ones."""
    for parameter in operation.get("parameters", []):
        if parameter["in"] == "path":
            name = parameter["name"]
            harmless = "00000000-0000-4000-8000-000000000000" if name.endswith("_id") else "Ada"
            path = path.replace(f"{{{name}}}", values.get(name, harmless))
    return path


def members(schema: Document, document: Document) -> dict[str, Document]:
    """Return the members of a body, wherever in its schema they are named."""
    found = dict(schema.get("properties", {}))
    for reference in (schema.get("$ref"), *(item.get("$ref") for item in schema.get("anyOf", []))):
        if reference is not None:
            name = reference.removeprefix("#/components/schemas/")
            found |= members(document["components"]["schemas"][name], document)
    return found


def bodies(operation: Document, document: Document) -> Iterator[bytes]:
    """Yield bodies of an operation, each with one member that is wrong, and some that are none."""
    content = operation.get("requestBody", {}).get("content", {})
    if "application/json" not in content:
        return
    names = members(content["application/json"]["schema"], document)
    whole = {name: json.dumps(value) for name, value in WHOLE.items() if name in names}
    for name in list(names)[:12]:
        yield from (written({**whole, name: value}) for value in VALUES)
    if "action" in names:
        action = {name: json.dumps(value) for name, value in ACTION.items()}
        for name in action:
            for value in VALUES:
                yield written({**whole, "action": written({**action, name: value}).decode()})
    yield from BODIES


def written(texts: dict[str, str]) -> bytes:
    """Return a JSON object whose values are JSON already."""
    return (
        "{" + ", ".join(f"{json.dumps(name)}: {text}" for name, text in texts.items()) + "}"
    ).encode()


def check(response: httpx2.Response) -> None:
    """Check that the answer is a success, or a problem that is the client's."""
    assert response.status_code < 500, response.text
    if response.status_code >= 400:
        assert response.headers["content-type"] == "application/problem+json"
        assert response.json()["status"] == response.status_code


async def test_no_body_is_a_server_error(unlimited_api: Client, document: Document) -> None:
    """Zero bytes, lone surrogates, NaN, 2^63, depth, `true` for a number: in every member."""
    await unlimited_api.post("/server/start?wait=25")
    assert (await unlimited_api.get("/server")).json()["state"] == "running"
    headers = {"Content-Type": "application/json"}
    tried = 0
    for method, path, operation in operations(document):
        for body in bodies(operation, document):
            target = address(path, operation)
            check(await unlimited_api.request(method, target, content=body, headers=headers))
            tried += 1
    assert tried > 1_000


async def test_no_address_is_a_server_error(unlimited_api: Client, document: Document) -> None:
    """The same in every parameter of a path, a query and a header."""
    for method, path, operation in operations(document):
        for parameter in operation.get("parameters", []):
            name = parameter["name"]
            for text in TEXTS:
                query, headers, values = "", {}, {}
                if parameter["in"] == "path":
                    values = {name: text}
                elif parameter["in"] == "query":
                    query = f"?{name}={text}"
                else:
                    headers = {name: text}
                target = address(path, operation, **values) + query
                check(await unlimited_api.request(method, target, headers=headers))
