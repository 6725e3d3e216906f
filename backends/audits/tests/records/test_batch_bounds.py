"""How much work a body of records may be before it is refused."""

import json
from typing import Any

import pytest

from bedplate.testing.client import Client
from bedplate.testing.problems import ProblemOf

AUDITS = "/api/v1/audits"
NEW: dict[str, Any] = {"action_type": "create", "entity_type": "invoice"}


def many(count: int) -> dict[str, int]:
    """Return that many members."""
    return {f"k{number}": 1 for number in range(count)}


async def test_members_of_a_record_are_bounded_as_everywhere(
    api: Client, problem_of: ProblemOf
) -> None:
    """Only a batch may have more members than a body of other backends."""
    refused = await api.post(AUDITS, json={**NEW, **many(10_000)})
    assert problem_of(refused, 400)["code"] == "json_too_many_members"
    records = [{**NEW, "details": many(200)} for _ in range(100)]
    stored = await api.post(f"{AUDITS}/batch", json={"records": records})
    assert stored.status_code == 201, stored.text


@pytest.mark.parametrize("lines", [False, True], ids=["JSON", "NDJSON"])
async def test_errors_of_a_batch_are_not_all_listed(
    api: Client, problem_of: ProblemOf, *, lines: bool
) -> None:
    """A batch with more errors than anybody reads is a 422 that counts them, and builds none."""
    wrong = {**NEW, **many(10_001)}
    if lines:
        kind = {"Content-Type": "application/x-ndjson"}
        refused = await api.post(f"{AUDITS}/batch", content=json.dumps(wrong), headers=kind)
    else:
        refused = await api.post(f"{AUDITS}/batch", json={"records": [wrong]})
    problem = problem_of(refused, 422)
    assert [error["code"] for error in problem["errors"]] == ["too_many_errors"]
    assert "10001" in problem["errors"][0]["message"]
