"""Records over HTTP: created, listed, completed, deleted, and what is refused."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from bedplate import clock
from bedplate.testing.client import Client
from bedplate.testing.problems import ProblemOf

Record = Callable[..., Awaitable[dict[str, Any]]]

AUDITS = "/api/v1/audits"
EVERYTHING = {
    "action_type": "update",
    "action": "team.user_added",
    "entity_type": "team",
    "entity_id": "0b5f7a0e-5a0c-4a55-9a5d-0f5d6f0e7a11",
    "entity_ref": "team/7",
    "user_id": "7f3f8e3e-1d7a-4f39-9b57-3a3f6f3b2c10",
    "actor": {"type": "user", "id": "42", "name": "Ada"},
    "targets": [
        {"type": "user", "id": "43", "name": "Grace"},
        {"type": "key", "id": "k", "name": None},
    ],
    "details": {"a": [1, 2.5, None, True, "\u2713\U0001f600"], "b": {}, "e": 1e21, "z": -0.0},
    "status": "failure",
    "ip_address": "2001:db8::1",
    "user_agent": 'curl/8\n("x")',
    "correlation_id": "req-1",
}


async def test_a_record_is_created_and_read(api: Client) -> None:
    """What was sent comes back, with id, sequence number, leaf hash and times; GET is the same."""
    an_hour_ago = clock.now() - timedelta(hours=1)
    sent = {**EVERYTHING, "occurred_at": f"{an_hour_ago:%Y-%m-%dT%H:%M:%S}.123456789+00:00"}
    created = await api.post(AUDITS, json=sent)
    assert created.status_code == 201, created.text
    body = created.json()
    assert {name: body[name] for name in EVERYTHING} == EVERYTHING
    assert (body["sequence"], body["version"], body["tenant"], body["erased"]) == (
        0,
        1,
        "default",
        [],
    )
    assert body["occurred_at"] == f"{an_hour_ago:%Y-%m-%dT%H:%M:%S}.123456Z"
    assert body["created_at"] == body["updated_at"]
    assert body["created_at"].endswith("Z")
    assert UUID(body["id"]).version == 7
    assert created.headers["location"] == f"{AUDITS}/{body['id']}"
    read = await api.get(created.headers["location"])
    assert read.json() == body
    assert read.headers["etag"] == created.headers["etag"] == '"1"'
    unchanged = await api.get(f"{AUDITS}/{body['id']}", headers={"If-None-Match": '"1"'})
    assert unchanged.status_code == 304


async def test_records_are_numbered_without_gaps(api: Client) -> None:
    """A hundred requests at once get the numbers 0 to 99, each once."""
    body = {"action_type": "login", "entity_type": "session"}
    responses = await asyncio.gather(*(api.post(AUDITS, json=body) for _ in range(100)))
    assert sorted(response.json()["sequence"] for response in responses) == list(range(100))
    assert len({response.json()["id"] for response in responses}) == 100


async def test_a_pending_record_is_completed_once(
    api: Client, record: Record, problem_of: ProblemOf
) -> None:
    """Its status changes once and details are merged; then 409, and the first version is kept."""
    made = await record(status="pending", details={"a": 1, "b": {"c": 2}})
    path = f"{AUDITS}/{made['id']}"
    completed = await api.put(path, json={"status": "success", "details": {"b": 3, "d": 4}})
    body = completed.json()
    assert (body["status"], body["version"], body["sequence"]) == ("success", 2, 1)
    assert body["details"] == {"a": 1, "b": 3, "d": 4}
    assert body["created_at"] == made["created_at"]
    assert body["updated_at"] >= made["updated_at"]
    assert completed.headers["etag"] == '"2"'
    assert (await api.get(path)).json() == body
    again = problem_of(await api.put(path, json={"status": "failure"}), 409)
    assert again["code"] == "status_is_final"
    final = await record()
    problem_of(await api.put(f"{AUDITS}/{final['id']}", json={"status": "success"}), 409)
    events = (await api.get(f"{path}/history")).json()["events"]
    assert [event.pop("event") for event in events] == ["created", "completed"]
    assert events == [made, body]


async def test_many_completions_at_once_are_one(api: Client, record: Record) -> None:
    """Of fifty requests that complete the same record one wins; the others get 409."""
    made = await record(status="pending")
    responses = await asyncio.gather(
        *(
            api.put(f"{AUDITS}/{made['id']}", json={"status": "success", "details": {"by": number}})
            for number in range(50)
        )
    )
    assert sorted(response.status_code for response in responses) == [200] + [409] * 49
    [winner] = [response.json() for response in responses if response.status_code == 200]
    assert (await api.get(f"{AUDITS}/{made['id']}")).json() == winner


async def test_if_match_guards_a_completion(
    api: Client, record: Record, problem_of: ProblemOf
) -> None:
    """A completion or deletion of another version than the client's is a 412."""
    made = await record(status="pending")
    path = f"{AUDITS}/{made['id']}"
    old = {"If-Match": '"7"'}
    for headers in (old, {"If-None-Match": "*"}):
        problem_of(await api.put(path, json={"status": "success"}, headers=headers), 412)
    problem_of(await api.delete(path, headers=old), 412)
    good = await api.put(path, json={"status": "success"}, headers={"If-Match": '"1"'})
    assert good.status_code == 200
    assert (await api.delete(path, headers={"If-Match": '"2"'})).status_code == 204


async def test_a_deleted_record_leaves_the_lists_and_stays_in_the_log(
    api: Client, record: Record, problem_of: ProblemOf
) -> None:
    """It is a 404 and in no list; its history has all of it, with the tombstone at the end."""
    kept, gone, pending = await record(), await record(), await record(status="pending")
    for made in (gone, pending):
        assert (await api.delete(f"{AUDITS}/{made['id']}")).status_code == 204
        assert (
            problem_of(await api.get(f"{AUDITS}/{made['id']}"), 404)["code"] == "record_not_found"
        )
        problem_of(await api.delete(f"{AUDITS}/{made['id']}"), 404)
        problem_of(await api.put(f"{AUDITS}/{made['id']}", json={"status": "success"}), 404)
        events = (await api.get(f"{AUDITS}/{made['id']}/history")).json()["events"]
        assert [event["event"] for event in events] == ["created", "deleted"]
    for query in ("", "?status=success", "?entity_type=invoice", "?details={}"):
        page = (await api.get(f"{AUDITS}{query}")).json()
        assert [item["id"] for item in page["items"]] == [kept["id"]]
        assert page["total"] == 1
    page = (await api.get(f"{AUDITS}?status=pending")).json()
    assert (page["items"], page["total"]) == ([], 0)


async def test_unknown_records_are_not_found(api: Client, problem_of: ProblemOf) -> None:
    """Every path of a record that isn't there is the same 404."""
    path = f"{AUDITS}/{uuid4()}"
    for response in (
        await api.get(path),
        await api.put(path, json={"status": "success"}),
        await api.delete(path),
        await api.get(f"{path}/history"),
        await api.get(f"{path}/proof"),
    ):
        assert problem_of(response, 404)["code"] == "record_not_found"
    problem_of(await api.get(f"{AUDITS}/no-uuid"), 422)


@pytest.mark.parametrize(
    "wrong",
    [
        {"action_type": "burn"},
        {"entity_type": ""},
        {"entity_type": "x" * 101},
        {"entity_id": "42"},
        {"user_id": 7},
        {"details": []},
        {"details": {"n": 2**53}},
        {"details": {"n": [-(2**63)]}},
        {"details": {"s": "\0"}},
        {"details": {"s": "x" * 65_536}},
        {"status": "done"},
        {"ip_address": "300.1.1.1"},
        {"ip_address": "fe80::1%eth0"},
        {"user_agent": "x" * 501},
        {"occurred_at": "2026-11-29T06:00:00"},
        {"occurred_at": 1_700_000_000},
        {"targets": [{"type": "a", "id": "b"}] * 11},
        {"actor": {"type": "user"}},
        {"action": "team..added"},
        {"tenant": "Not A Tenant"},
        {"tenant": "-x"},
        {"surprise": 1},
    ],
)
async def test_what_is_no_record_is_refused(
    api: Client, problem_of: ProblemOf, wrong: dict[str, Any]
) -> None:
    """Each is a 422 that names the field, and nothing is stored."""
    body = {"action_type": "create", "entity_type": "invoice", **wrong}
    problem = problem_of(await api.post(AUDITS, json=body), 422)
    assert problem["errors"][0]["field"].split(".")[0] == next(iter(wrong))
    assert (await api.get(AUDITS)).json()["total"] == 0


@pytest.mark.parametrize(
    "body", [b'{"details": {"s": "\\ud800"}}', b'{"details": {"n": NaN}}', b"{"]
)
async def test_what_is_no_json_is_refused(api: Client, problem_of: ProblemOf, body: bytes) -> None:
    """Half a character, NaN and broken JSON are clear refusals."""
    json_type = {"Content-Type": "application/json"}
    response = await api.post(AUDITS, content=body, headers=json_type)
    assert response.status_code in {400, 422}
    problem_of(response, response.status_code)


@pytest.mark.parametrize("occurred_at", ["1999-01-01T00:00:00Z", "2999-01-01T00:00:00Z"])
async def test_clocks_that_nobody_can_explain_are_refused(
    api: Client, problem_of: ProblemOf, occurred_at: str
) -> None:
    """An event from the future, or too old, is refused with the bounds."""
    body = {"action_type": "create", "entity_type": "invoice", "occurred_at": occurred_at}
    assert problem_of(await api.post(AUDITS, json=body), 422)["code"] == "occurred_at_refused"


async def test_an_idempotency_key_stores_once(api: Client, problem_of: ProblemOf) -> None:
    """Requests with one key at once, and later, get the same record; other content is refused."""
    body = {"action_type": "create", "entity_type": "invoice", "details": {"n": 1}}
    key = {"Idempotency-Key": "order-7"}
    responses = await asyncio.gather(*(api.post(AUDITS, json=body, headers=key) for _ in range(20)))
    responses.append(await api.post(AUDITS, json=body, headers=key))
    assert {response.status_code for response in responses} == {201}
    assert len({json.dumps(response.json()) for response in responses}) == 1
    assert (await api.get(AUDITS)).json()["total"] == 1
    other = problem_of(await api.post(AUDITS, json={**body, "details": {"n": 2}}, headers=key), 422)
    assert other["code"] == "idempotency_key_reused"
    batch = {"records": [body, body]}
    first = await api.post(f"{AUDITS}/batch", json=batch, headers={"Idempotency-Key": "batch-1"})
    again = await api.post(f"{AUDITS}/batch", json=batch, headers={"Idempotency-Key": "batch-1"})
    assert first.json() == again.json()
    assert (await api.get(AUDITS)).json()["total"] == 3


async def test_a_batch_is_stored_in_its_order(api: Client) -> None:
    """A thousand records from JSON, and from lines, get ids and numbers in their order."""
    records = [
        {"action_type": "import", "entity_type": "row", "details": {"line": number}}
        for number in range(1000)
    ]
    stored = (await api.post(f"{AUDITS}/batch", json={"records": records})).json()
    assert (stored["first_sequence"], stored["last_sequence"]) == (0, 999)
    lines = "\n".join(json.dumps(each) for each in records[:10]).encode() + b"\n\n"
    more = await api.post(
        f"{AUDITS}/batch", content=lines, headers={"Content-Type": "application/x-ndjson"}
    )
    assert more.status_code == 201, more.text
    assert more.json()["first_sequence"] == 1000
    page = (await api.get(AUDITS, params={"limit": 50, "offset": 10})).json()
    assert page["total"] == 1010
    assert [item["details"]["line"] for item in page["items"]] == list(range(999, 949, -1))
    assert [item["id"] for item in page["items"]] == stored["ids"][:949:-1]


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b'{"records": []}', "json"),
        (b'{"records": [{"action_type": "create"}]}', "json"),
        (b"[]", "json"),
        (b"", "x-ndjson"),
        (b'{"action_type": "create", "entity_type": "a"}\n{"action_type": 1}\n', "x-ndjson"),
        (b'{"action_type": "create", "entity_type": "a"}\n' * 1001, "x-ndjson"),
    ],
)
async def test_a_batch_with_one_bad_record_stores_none(
    api: Client, problem_of: ProblemOf, content: bytes, kind: str
) -> None:
    """The refusal names the line, and nothing of the batch is there."""
    response = await api.post(
        f"{AUDITS}/batch", content=content, headers={"Content-Type": f"application/{kind}"}
    )
    problem_of(response, 422)
    assert (await api.get(AUDITS)).json()["total"] == 0


async def test_a_batch_has_one_tenant(api: Client, problem_of: ProblemOf) -> None:
    """Records of two tenants would go into two chains, so such a batch is refused."""
    records = [
        {"action_type": "create", "entity_type": "a", "tenant": tenant} for tenant in ("x", "y")
    ]
    problem = problem_of(await api.post(f"{AUDITS}/batch", json={"records": records}), 422)
    assert problem["code"] == "several_tenants"


async def test_tenants_have_chains_and_lists_of_their_own(
    api: Client, record: Record, problem_of: ProblemOf
) -> None:
    """Each chain begins at 0, and a record is only found in its tenant."""
    ours, theirs = await record(), await record(tenant="acme")
    assert (ours["sequence"], theirs["sequence"]) == (0, 0)
    assert [item["id"] for item in (await api.get(AUDITS)).json()["items"]] == [ours["id"]]
    page = (await api.get(f"{AUDITS}?tenant=acme")).json()
    assert [item["id"] for item in page["items"]] == [theirs["id"]]
    problem_of(await api.get(f"{AUDITS}/{theirs['id']}"), 404)
    assert (await api.get(f"{AUDITS}/{theirs['id']}?tenant=acme")).json() == theirs
