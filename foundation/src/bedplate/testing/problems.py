"""Problem documents in tests."""

from collections.abc import Callable
from typing import Any

import httpx2

ProblemOf = Callable[[httpx2.Response, int], dict[str, Any]]
"""The type of the fixture `problem_of`."""


def problem_of(response: httpx2.Response, status: int) -> dict[str, Any]:
    """Return the problem document of a response, which must have this status and be well-formed.

    It is never cached, and names the request as the header `X-Request-Id` does.
    """
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    assert response.headers["cache-control"] == "no-store"
    document: dict[str, Any] = response.json()
    assert document["status"] == status
    assert document["request_id"] == response.headers["x-request-id"]
    return document
