"""Sensitive members: shown to readers, hidden from the log, and erased without breaking it."""

import json
from collections.abc import AsyncIterator, Callable
from typing import Any
from uuid import UUID

import pytest
from fastapi import FastAPI

from audits.records.maintenance import erase
from audits.settings import AuditsSettings
from audits.transparency.bundle import unpack
from audits.transparency.checkpoint import verifier_of
from audits.verification.export import verify_export
from bedplate.database import Database
from bedplate.testing.client import Client, client

MakeApp = Callable[..., FastAPI]

AUDITS = "/api/v1/audits"
LOG = "/api/v1/log/default"
RECORD = {
    "action_type": "update",
    "entity_type": "account",
    "actor": {"type": "user", "id": "7", "name": "Ada"},
    "ip_address": "192.0.2.7",
    "details": {"email": "ada@example.com", "plan": "gold"},
    "status": "pending",
}


@pytest.fixture(name="private")
async def _private(make_app: MakeApp) -> AsyncIterator[Client]:
    """Give a client of the API that keeps three members out of the log."""
    sensitive = ["details.email", "ip_address", "actor.name"]
    async with client(make_app(sensitive_members=sensitive)) as opened:
        yield opened


async def entries(api: Client) -> list[dict[str, Any]]:
    """Return the entries of the log, from a fresh checkpoint."""
    await api.get(f"{AUDITS}/export")
    size = int((await api.get(f"{LOG}/checkpoint")).text.splitlines()[1])
    bundle = await api.get(f"{LOG}/tile/entries/000.p/{size}")
    return [json.loads(entry) for entry in unpack(bundle.content)]


async def exported(api: Client) -> tuple[int, list[dict[str, Any]]]:
    """Return how many records an export proves, and the records."""
    lines = (await api.get(f"{AUDITS}/export")).content.splitlines(keepends=True)
    keys = (await api.get(f"{LOG}/key")).text.splitlines()
    verified = verify_export(lines, [verifier_of(key) for key in keys])
    return verified.records, [json.loads(line)["record"] for line in lines[1:-1]]


async def test_readers_see_what_the_log_only_commits_to(private: Client) -> None:
    """The record comes back whole; its entry has commitments where the sensitive members were."""
    made = (await private.post(AUDITS, json=RECORD)).json()
    assert {name: made[name] for name in RECORD} == RECORD
    assert (await private.get(f"{AUDITS}/{made['id']}")).json() == made
    assert (await private.get(AUDITS)).json()["items"] == [made]
    [entry] = await entries(private)
    assert entry["details"] == {"plan": "gold"}
    assert entry["actor"] == {"type": "user", "id": "7"}
    assert "ip_address" not in entry
    assert set(entry["commitments"]) == {"details.email", "ip_address", "actor.name"}
    assert "ada" not in json.dumps(entry).lower()


async def test_equal_values_have_different_commitments(private: Client) -> None:
    """Nobody finds out who was meant by trying addresses, or that two records share one."""
    for _ in range(2):
        await private.post(AUDITS, json=RECORD)
    first, second = await entries(private)
    assert first["commitments"]["details.email"] != second["commitments"]["details.email"]


async def test_erased_values_break_no_proof(private: Client, database: Database) -> None:
    """After erasing, the record says so, other members stay, and the export is still verified."""
    made = (await private.post(AUDITS, json=RECORD)).json()
    await private.put(f"{AUDITS}/{made['id']}", json={"status": "success"})
    assert (await exported(private))[0] == 1
    assert await erase(database, "default", UUID(made["id"]), ["details.email"]) == [
        "details.email"
    ]
    count, [record] = await exported(private)
    assert count == 1
    assert record["erased"] == ["details.email"]
    assert record["details"] == {"plan": "gold"}
    assert record["ip_address"] == "192.0.2.7"
    events = (await private.get(f"{AUDITS}/{made['id']}/history")).json()["events"]
    assert [event["erased"] for event in events] == [["details.email"]] * 2


async def test_what_was_erased_stays_erased(private: Client, database: Database) -> None:
    """A record that is completed or deleted after erasing doesn't get the value back."""
    made = (await private.post(AUDITS, json=RECORD)).json()
    await erase(database, "default", UUID(made["id"]), ["ip_address"])
    done = (await private.put(f"{AUDITS}/{made['id']}", json={"status": "failure"})).json()
    assert (done["ip_address"], done["erased"]) == (None, ["ip_address"])
    assert done["details"] == RECORD["details"]
    assert (await exported(private))[0] == 1


async def test_large_details_are_committed_and_found(api: Client) -> None:
    """Beyond 32 KiB the log has a commitment; filters and readers have the details."""
    details = {"text": "x" * 40_000, "kind": "large"}
    made = (await api.post(AUDITS, json={**RECORD, "details": details})).json()
    assert made["details"] == details
    [entry] = await entries(api)
    assert "details" not in entry
    assert len(entry["details_commitment"]) == 44
    page = (await api.get(AUDITS, params={"details": '{"kind": "large"}'})).json()
    assert [item["id"] for item in page["items"]] == [made["id"]]
    assert (await exported(api))[0] == 1


def test_a_whole_and_its_members_are_not_both_hidden() -> None:
    """What would be in two commitments can't be erased from one."""
    with pytest.raises(ValueError, match="not both"):
        AuditsSettings(_env_file=None, sensitive_members=["actor.name", "actor"])
