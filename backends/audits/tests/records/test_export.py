"""Exports: complete, exact at their ends, harmless in a spreadsheet, and provable offline."""

import csv
import hashlib
import io
import json
from collections.abc import Awaitable, Callable
from typing import Any

import orjson
import pytest
from pydantic import SecretStr

from audits.records.export import Export
from audits.records.repository import Filter, in_order
from audits.settings import AuditsSettings
from audits.transparency.checkpoint import verifier_of
from audits.verification.export import verify_export
from audits.verification.finding import Broken
from bedplate.database import Database, ReadSession, Row, Statement
from bedplate.testing.client import Client
from bedplate.testing.problems import ProblemOf

Record = Callable[..., Awaitable[dict[str, Any]]]

AUDITS = "/api/v1/audits"
PAGE = 500


async def record_many(api: Client, count: int) -> None:
    """Record events in batches; their details have numbers that databases rewrite."""
    for start in range(0, count, 1000):
        records = [
            {
                "action_type": "import",
                "entity_type": "row",
                "entity_ref": f"line {number}",
                "details": {"n": number, "x": number / 8, "big": 1e21, "zero": -0.0, "é": "\u2028"},
                "status": "failure" if number % 10 == 0 else "success",
            }
            for number in range(start, min(start + 1000, count))
        ]
        response = await api.post(f"{AUDITS}/batch", json={"records": records})
        assert response.status_code == 201, response.text


async def export(api: Client, query: str = "") -> list[bytes]:
    """Return the lines of an export."""
    response = await api.get(f"{AUDITS}/export{query}")
    assert response.status_code == 200, response.text
    return response.content.splitlines(keepends=True)


async def verified(api: Client, lines: list[bytes]) -> int:
    """Return how many records of an export are verified."""
    key = (await api.get("/api/v1/log/default/key")).text
    return verify_export(lines, [verifier_of(line) for line in key.splitlines()]).records


@pytest.mark.parametrize("count", [0, 1, PAGE, PAGE + 1, 3 * PAGE + 1])
async def test_an_export_is_complete_and_verified(api: Client, count: int) -> None:
    """Of as many records as there are: each once, in order, with an exact trailer, all proved."""
    await record_many(api, count)
    lines = await export(api)
    records = [json.loads(line)["record"] for line in lines[1:-1]]
    assert [record["details"]["n"] for record in records] == list(range(count))
    assert json.loads(lines[-1]) == {
        "trailer": {
            "count": count,
            "last_sequence": count - 1 if count else None,
            "digest": f"sha256:{hashlib.sha256(b''.join(lines[:-1])).hexdigest()}",
        }
    }
    assert await verified(api, lines) == count


async def test_an_export_takes_the_filters_of_a_list(api: Client, record: Record) -> None:
    """Only what the filters choose; completed ones as they are now, deleted ones not at all."""
    await record_many(api, 100)
    pending = await record(status="pending", entity_type="job")
    await api.put(f"{AUDITS}/{pending['id']}", json={"status": "failure", "details": {"why": 1.0}})
    gone = await record(status="failure")
    await api.delete(f"{AUDITS}/{gone['id']}")
    lines = await export(api, "?status=failure")
    records = [json.loads(line)["record"] for line in lines[1:-1]]
    assert [record["sequence"] for record in records] == [*range(0, 100, 10), 101]
    assert json.loads(lines[0])["export"]["filters"] == {"status": "failure"}
    assert await verified(api, lines) == 11
    whole = await export(api)
    assert await verified(api, whole) == 101
    assert (await api.get(f"{AUDITS}?status=failure")).json()["total"] == 11


async def test_every_kind_of_record_is_verified(api: Client, record: Record) -> None:
    """Large details, all members and all numbers: what was exported is what the log holds."""
    await record(details={"text": "x" * 40_000})
    await record(
        occurred_at=None,
        actor={"type": "user", "id": "1", "name": "Ada \U0001f600"},
        targets=[{"type": "a", "id": "b"}],
        ip_address="192.0.2.1",
        user_agent="x\ny",
        user_id="7f3f8e3e-1d7a-4f39-9b57-3a3f6f3b2c10",
        details={"\ue000": 1, "\U0001f600": 1.5e300, "a": [1.0, 1e2, -0.0, 2**53 - 1]},
    )
    assert await verified(api, await export(api)) == 2


async def test_a_changed_line_is_found_and_named(api: Client) -> None:
    """One changed byte of a record, and a lost, doubled or added line, are found."""
    await record_many(api, 20)
    lines = await export(api)
    changed = lines[7].replace(b'"n":6', b'"n":7')
    assert changed != lines[7]
    for broken, seq in [
        ([*lines[:7], changed, *lines[8:]], 6),
        ([*lines[:7], lines[7].replace(b"line 6", b"line 5"), *lines[8:]], 6),
        ([*lines[:7], lines[7].replace(b'"import"', b'"export"'), *lines[8:]], 6),
        ([*lines[:7], lines[7].replace(b'"sequence":6', b'"sequence":5'), *lines[8:]], 5),
        ([*lines[:7], b"{}\n", *lines[8:]], None),
        ([*lines[:7], b"\xff\n", *lines[8:]], None),
        ([*lines[:7], *lines[8:]], None),
        ([*lines[:7], lines[7], *lines[7:]], None),
        (lines[:-1], None),
        (lines[:5], None),
        ([*lines, lines[3]], None),
        (lines[1:], None),
        ([], None),
    ]:
        with pytest.raises(Broken) as caught:
            await verified(api, broken)
        assert caught.value.found.seq == seq, caught.value
    record_id = json.loads(lines[7])["record"]["id"]
    with pytest.raises(Broken, match=f"record seq=6 id={record_id}"):
        await verified(api, [*lines[:7], changed, *lines[8:]])


async def test_an_export_of_another_key_is_refused(api: Client) -> None:
    """The signature must be of the key that the verifier trusts."""
    await record_many(api, 3)
    lines = await export(api)
    stranger = "localhost/audits/default+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
    with pytest.raises(ValueError, match="id"):
        verifier_of(stranger)
    other = verifier_of("example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k")
    with pytest.raises(Broken, match="No known key"):
        verify_export(lines, [other])


async def test_a_spreadsheet_runs_no_formula(api: Client, record: Record) -> None:
    """Cells that would be formulas begin with an apostrophe; the rest is as it was."""
    for text in ("=1+1", "+1", "-1", "@SUM(A1)", " =1", "\n =1", "\uff1d1", "a=1", "1 -"):
        await record(entity_ref="x", user_agent=text)
    response = await api.get(f"{AUDITS}/export?format=csv")
    assert response.headers["content-type"] == "text/csv; charset=utf-8"
    rows = list(csv.DictReader(io.StringIO(response.text, newline="")))
    assert [row["user_agent"] for row in rows[:-1]] == [
        "'=1+1",
        "'+1",
        "'-1",
        "'@SUM(A1)",
        "' =1",
        "'\n =1",
        "'\uff1d1",
        "a=1",
        "1 -",
    ]
    assert rows[-1]["sequence"] == "# trailer"
    assert rows[-1]["id"] == "count=9"


async def test_events_of_ocsf_say_who_did_what(api: Client, record: Record) -> None:
    """A login is class 3002 and a change class 3004, with time, status, actor and entity."""
    await record(action_type="login", status="failure", ip_address="192.0.2.7",
                 actor={"type": "user", "id": "7", "name": "Ada"})  # fmt: skip
    await record(action_type="delete", entity_type="invoice", entity_ref="42")
    lines = [json.loads(line) for line in await export(api, "?format=ocsf")]
    login, deleted = lines[1:-1]
    assert (login["class_uid"], login["type_uid"], login["status_id"]) == (3002, 300201, 2)
    assert login["user"] == {"uid": "7", "name": "Ada", "type": "user"}
    assert login["src_endpoint"] == {"ip": "192.0.2.7"}
    assert (deleted["class_uid"], deleted["type_uid"]) == (3004, 300404)
    assert deleted["entity"] == {"type": "invoice", "uid": "42"}
    assert lines[-1]["trailer"]["count"] == 2


@pytest.mark.parametrize(
    "query",
    ["created_after=0001-01-01%2B14:00", "created_before=9999-12-31T23:59:59-14:00",
     "occurred_after=0001-01-01T00:00:00%2B00:01", "occurred_before=9999-12-31"],
)  # fmt: skip
async def test_a_time_beyond_the_calendar_is_refused_before_the_export_begins(
    api: Client, query: str
) -> None:
    """It would break the stream off in the middle."""
    for path in ("/api/v1/audits", "/api/v1/audits/export"):
        assert (await api.get(f"{path}?{query}")).status_code == 422


async def test_an_export_is_of_its_checkpoint_whatever_comes_meanwhile(
    api: Client, record: Record, database: Database
) -> None:
    """A record that is completed or deleted while an export runs is in it as it was before."""
    made = [await record(status="pending", details={"n": 1}) for _ in range(2)]
    filters = [Filter(), Filter(status="pending"), Filter(details={"n": 1})]
    exports = [Export(database.read(), "default", each, size=2, note="") for each in filters]
    await api.put(f"{AUDITS}/{made[0]['id']}", json={"status": "success"})
    await api.delete(f"{AUDITS}/{made[1]['id']}")
    for each in exports:
        lines = b"".join([chunk async for chunk in each.lines("ndjson")]).splitlines()
        assert [json.loads(line)["record"] for line in lines[1:-1]] == made
    assert len(await export(api, "?status=success")) == 3


class Explaining(ReadSession):
    """A session that remembers how SQLite runs each statement."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self.plans: list[list[str]] = []

    async def all(self, statement: Statement, **parameters: Any) -> list[Row]:
        """Explain a statement, and run it."""
        compiled = statement.compiled(self._database.dialect)
        explained = f"EXPLAIN QUERY PLAN {compiled.text}"
        async with self._database.borrow() as connection:
            steps = await self._database.driver.fetch(
                connection, explained, compiled.arguments(parameters)
            )
        self.plans.append([step[3] for step in steps])
        return await super().all(statement, **parameters)


@pytest.mark.parametrize(
    "chosen", [Filter(), Filter(entity_type="row"), Filter(status="success"), Filter(details={})]
)
async def test_an_export_on_sqlite_scans_no_chain_for_each_event(
    sqlite_url: str, chosen: Filter
) -> None:
    """What came later of a record is found by its id, not among all events of the chain."""
    settings = AuditsSettings(_env_file=None, database_url=SecretStr(sqlite_url))
    async with Database.open(settings) as database:
        session = Explaining(database)
        await in_order(session, "default", chosen, after=-1, end=1000, limit=500)
    [plan] = session.plans
    inner = [step for step in plan if step.startswith(("SEARCH audit_", "SCAN audit_"))]
    assert inner, plan
    for step in inner:
        assert "(id=?" in step or " id=?" in step, plan
        assert "seq" not in step, plan


async def test_nothing_beside_the_log_s_own_content_is_verified(
    api: Client, record: Record
) -> None:
    """Whoever makes the digest again still can't add members, or write the same otherwise."""
    await record(user_id="7f3f8e3e-1d7a-4f39-9b57-3a3f6f3b2c10")
    first, line, last = await export(api)
    for name, value in [
        ("leaf_hash", "x"),
        ("erased", ["ip_address"]),
        ("user_id", "7F3F8E3E-1D7A-4F39-9B57-3A3F6F3B2C10"),
        ("approved", True),
    ]:
        changed = json.loads(line)
        changed["record"][name] = value
        written = orjson.dumps(changed) + b"\n"
        trailer = json.loads(last)
        digest = hashlib.sha256(first + written).hexdigest()
        trailer["trailer"]["digest"] = f"sha256:{digest}"
        with pytest.raises(Broken, match="record seq=0"):
            await verified(api, [first, written, json.dumps(trailer).encode()])
    twice = line.replace(b'"status":', b'"status":"failure","status":')
    with pytest.raises(Broken, match="record seq=0"):
        await verified(api, [first, twice, last])


@pytest.mark.parametrize("filters", [
    {"created_after": "0001-01-01"},
    {"occurred_before": "9999-12-31T23:59:59-14:00"},
    {"details": '{"a":' * 253 + "1" + "}" * 253},
])  # fmt: skip
async def test_an_export_refuses_a_filter_before_it_begins(
    api: Client, filters: dict[str, str], problem_of: ProblemOf
) -> None:
    """What a database or a header can't hold is a 422, and no export without an end."""
    for path in (AUDITS, f"{AUDITS}/export"):
        problem_of(await api.get(path, params=filters), 422)
