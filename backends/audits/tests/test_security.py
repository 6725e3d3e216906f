"""Open without keys; with keys, roles and tenants decide."""

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest
from fastapi import FastAPI

from audits.settings import AuditsKey, AuditsSettings
from bedplate.settings import Environment, SettingsError
from bedplate.testing.client import Client, client
from bedplate.testing.problems import ProblemOf

MakeApp = Callable[..., FastAPI]

AUDITS = "/api/v1/audits"
LOG = "/api/v1/log"
NEW = {"action_type": "create", "entity_type": "invoice"}
KEYS = ["app:writer:w-key", "auditor:reader:r-key", "boss:admin:a-key", "acme:admin:acme:x-key"]


@pytest.fixture
async def keyed(make_app: MakeApp) -> AsyncIterator[Client]:
    """Give a client of the API with keys."""
    async with client(make_app(api_keys=[AuditsKey.parse(key) for key in KEYS])) as opened:
        yield opened


def proof(key: str) -> dict[str, str]:
    """Return the header with a key."""
    return {"X-API-Key": key}


async def test_without_keys_everyone_may_do_everything(api: Client) -> None:
    """The source design is open: recording, reading and deleting need no key."""
    made = (await api.post(AUDITS, json=NEW)).json()
    assert (await api.get(f"{AUDITS}/{made['id']}")).status_code == 200
    assert (await api.delete(f"{AUDITS}/{made['id']}")).status_code == 204


async def test_with_keys_a_request_without_one_is_refused(
    keyed: Client, problem_of: ProblemOf
) -> None:
    """Every route of the trail and its log is a 401 without a key, and with a wrong one."""
    for headers in ({}, proof("guess"), {b"X-API-Key": "é".encode()}):
        problem_of(await keyed.get(AUDITS, headers=headers), 401)
        problem_of(await keyed.get(f"{LOG}/default/checkpoint", headers=headers), 401)
        refused = await keyed.post(AUDITS, json=NEW, headers=headers)
        problem_of(refused, 401)
        assert refused.headers["www-authenticate"] == "APIKey"
    for path in ("/health", "/health/db"):
        assert (await keyed.get(path)).status_code == 200


async def test_a_role_allows_its_part(keyed: Client, problem_of: ProblemOf) -> None:
    """A writer records and doesn't read, a reader reads and doesn't record, an admin does all."""
    made = await keyed.post(AUDITS, json={**NEW, "status": "pending"}, headers=proof("w-key"))
    path = f"{AUDITS}/{made.json()['id']}"
    problem_of(await keyed.get(path, headers=proof("w-key")), 403)
    problem_of(await keyed.post(AUDITS, json=NEW, headers=proof("r-key")), 403)
    problem_of(await keyed.delete(path, headers=proof("w-key")), 403)
    problem_of(await keyed.delete(path, headers=proof("r-key")), 403)
    done = await keyed.put(path, json={"status": "success"}, headers=proof("w-key"))
    assert done.status_code == 200
    assert (await keyed.get(path, headers=proof("r-key"))).status_code == 200
    assert (await keyed.get(f"{AUDITS}/export", headers=proof("r-key"))).status_code == 200
    assert (await keyed.delete(path, headers=proof("a-key"))).status_code == 204


async def test_a_key_of_a_tenant_sees_no_other(keyed: Client, problem_of: ProblemOf) -> None:
    """It records and reads in its tenant alone; another's records are not even found."""
    ours = (await keyed.post(AUDITS, json=NEW, headers=proof("a-key"))).json()
    theirs = (await keyed.post(AUDITS, json=NEW, headers=proof("x-key"))).json()
    assert theirs["tenant"] == "acme"
    page = (await keyed.get(AUDITS, headers=proof("x-key"))).json()
    assert [item["id"] for item in page["items"]] == [theirs["id"]]
    problem_of(await keyed.get(f"{AUDITS}/{ours['id']}", headers=proof("x-key")), 404)
    for path in (
        f"{AUDITS}?tenant=default",
        f"{AUDITS}/{ours['id']}?tenant=default",
        f"{AUDITS}/export?tenant=default",
        f"{LOG}/default/checkpoint",
        f"{LOG}/default/key",
        f"{LOG}/default/tile/0/000.p/1",
    ):
        problem_of(await keyed.get(path, headers=proof("x-key")), 403)
    refused = {**NEW, "tenant": "default"}
    problem_of(await keyed.post(AUDITS, json=refused, headers=proof("x-key")), 403)


async def test_a_key_is_bound_to_its_holder(keyed: Client, problem_of: ProblemOf) -> None:
    """One holder's Idempotency-Key is not another's."""
    once = {"Idempotency-Key": "k"}
    first = await keyed.post(AUDITS, json=NEW, headers={**proof("w-key"), **once})
    other = await keyed.post(AUDITS, json=NEW, headers={**proof("a-key"), **once})
    again = await keyed.post(AUDITS, json=NEW, headers={**proof("w-key"), **once})
    assert first.json() == again.json()
    assert first.json()["id"] != other.json()["id"]


@pytest.mark.parametrize(
    "keys",
    ["app:writer", "app:owner:k", ":writer:k", "app:writer:", "a:reader::k", "a:b:c:d:e",
     "app:writer:Acme Corp:k", f"app:writer:{'a' * 65}:k", "app:reader:acme\n:k",
     f"{'a' * 101}:reader:k", "a\x07b:reader:k"],
)  # fmt: skip
def test_what_is_no_key_is_refused_at_start(keys: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error names the variable and the form, and doesn't repeat the key."""
    monkeypatch.setenv("AUDITS_API_KEYS", keys)
    with pytest.raises(SettingsError, match="AUDITS_API_KEYS") as refused:
        AuditsSettings.load(_env_file=None)
    assert keys not in str(refused.value)


def test_keys_are_read_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Several keys, with and without tenant; their secrets aren't shown."""
    monkeypatch.setenv("AUDITS_API_KEYS", "app:writer:secret-1, auditor:reader:acme:secret-2")
    settings = AuditsSettings.load(_env_file=None)
    assert [(key.name, key.role, key.tenant) for key in settings.api_keys] == [
        ("app", "writer", None),
        ("auditor", "reader", "acme"),
    ]
    assert "secret-" not in repr(settings)


async def test_an_open_trail_in_production_is_said_at_start(
    make_app: MakeApp, captured_logs: list[dict[str, object]]
) -> None:
    """In production a start without keys logs one warning, which names the variable."""
    async with client(make_app(environment=Environment.PRODUCTION)):
        pass
    warnings = [line for line in captured_logs if line["event"] == "audits_open_to_everyone"]
    assert len(warnings) == 1
    assert "AUDITS_API_KEYS" in str(warnings[0])


async def test_reads_are_records_where_that_is_asked_for(make_app: MakeApp) -> None:
    """With the switch on, who reads, what and with which key is in the trail before the answer."""
    keys = [AuditsKey.parse(key) for key in KEYS]
    async with client(make_app(api_keys=keys, record_access=True)) as api:
        made = (await api.post(AUDITS, json=NEW, headers=proof("w-key"))).json()
        path = f"{AUDITS}/{made['id']}"
        for url in (path, f"{path}/history", f"{AUDITS}?status=success", f"{AUDITS}/export"):
            assert (await api.get(url, headers=proof("r-key"))).status_code == 200
        assert (await api.get(path, headers=proof("guess"))).status_code == 401
        page = (await api.get(f"{AUDITS}?entity_type=audit", headers=proof("a-key"))).json()
    found = [(item["action_type"], item["action"], item["actor"]["id"]) for item in page["items"]]
    assert found == [
        ("view", "audits.list_records", "boss"),
        ("export", "audits.export_records", "auditor"),
        ("view", "audits.list_records", "auditor"),
        ("view", "audits.get_history", "auditor"),
        ("view", "audits.get_record", "auditor"),
    ]
    assert page["items"][2]["details"] == {"query": {"status": "success"}}
    assert page["items"][4]["entity_ref"] == made["id"]


async def test_no_request_breaks_the_record_of_its_reading(
    make_app: MakeApp, problem_of: ProblemOf
) -> None:
    """Whatever the query and the path hold, the answer is that of a trail without the switch."""
    async with client(make_app(record_access=True)) as api:
        made = (await api.post(AUDITS, json=NEW)).json()
        before = (await api.get(AUDITS)).json()["total"]
        for path in ("?tenant=%00", "?tenant=Acme%20Corp", "?x=%00", "/export?x=%00", "/%01",
                     f"/{'a' * 300}", "/%00/proof", "/%01/history"):  # fmt: skip
            problem_of(await api.get(f"{AUDITS}{path}"), 422)
        many = "&".join(f"{'k' * 200}{number}={'%F0%9F%92%A9' * 60}" for number in range(30))
        for query in ("x=%00", "%00=1", "x=%ED%A0%80", many, "x=%0a%0d"):
            assert (await api.get(f"{AUDITS}/{made['id']}?{query}")).status_code == 200, query
        page = (await api.get(f"{AUDITS}?limit=50&action=audits.get_record")).json()
        assert page["total"] == 5
        assert (await api.get(AUDITS)).json()["total"] > before
        assert (await api.get(f"{AUDITS}?tenant=acme-corp")).json()["total"] == 1


async def test_a_verification_is_recorded_too(make_app: MakeApp) -> None:
    """Who verifies reads everything."""
    async with client(make_app(record_access=True)) as api:
        await api.post(AUDITS, json=NEW)
        for _ in range(100):
            if (await api.get(f"{LOG}/default/checkpoint")).status_code == 200:
                break
            await asyncio.sleep(0.05)
        assert (await api.post(f"{LOG}/default/verify")).status_code == 202
        assert (await api.get(f"{AUDITS}?action=audits.verify")).json()["total"] == 1


async def test_caches_keep_what_needs_a_key_for_its_holder(keyed: Client, api: Client) -> None:
    """A cache between gives tiles of an open log to all, and those of a closed one to nobody."""
    for there, whose in ((keyed, "private"), (api, "public")):
        headers = proof("a-key") if there is keyed else {}
        for path in ("key", "minimum"):
            answer = await there.get(f"{LOG}/default/{path}", headers=headers)
            assert answer.headers["cache-control"] == f"{whose}, max-age=1"
        await there.post(AUDITS, json=NEW, headers=headers)
        for _ in range(100):
            tile = await there.get(f"{LOG}/default/tile/entries/000.p/1", headers=headers)
            if tile.status_code == 200:
                break
            await asyncio.sleep(0.05)
        assert tile.headers["cache-control"] == f"{whose}, max-age=31536000, immutable"


async def test_an_open_trail_records_no_reads(api: Client) -> None:
    """Without the switch a read leaves nothing behind."""
    await api.get(AUDITS)
    assert (await api.get(AUDITS)).json()["total"] == 0


async def test_an_id_of_many_dashes_is_refused_and_no_error(make_app: MakeApp) -> None:
    """Python takes it for a UUID, and the route doesn't."""
    async with client(make_app(record_access=True)) as api:
        assert (await api.get(f"{AUDITS}/{'-' * 300}{'7' * 32}")).status_code == 422
