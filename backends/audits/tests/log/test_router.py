"""The log over HTTP: checkpoints, tiles and proofs that other people's verifiers accept."""

import base64
import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from fastapi import FastAPI
from pydantic import SecretStr

from audits.log import service
from audits.records.service import entries_between
from audits.transparency.bundle import unpack
from audits.transparency.checkpoint import Checkpoint, verifier_of
from audits.transparency.note import Note
from audits.transparency.proof import InclusionProof
from audits.transparency.tiles import Edge, Tile, hash_reader, tiles_of
from audits.transparency.tree import (
    consistency_spans,
    leaf_hash,
    needed,
    proof,
    verify_consistency,
)
from bedplate.database import Database, ReadSession, Row, Statement
from bedplate.testing.client import Client, client
from bedplate.testing.problems import ProblemOf

MakeApp = Callable[..., FastAPI]
Signed = Callable[..., Awaitable[Note]]
Record = Callable[..., Awaitable[dict[str, Any]]]

AUDITS = "/api/v1/audits"
LOG = "/api/v1/log/default"
ORIGIN = "localhost/audits/default"


Checkpoints = Callable[..., Awaitable[Checkpoint]]


@pytest.fixture(name="checkpoint_of")
async def _checkpoint_of(api: Client, signed: Signed) -> Checkpoints:
    """Give what returns the checkpoint of a size when it is there, verified by the log's keys."""

    async def checkpoint_of(size: int, log: str = LOG) -> Checkpoint:
        note = await signed(size, log)
        vkeys = (await api.get(f"{log}/key")).text.splitlines()
        note.verified([verifier_of(vkey) for vkey in vkeys])
        return Checkpoint.parse(note.text)

    return checkpoint_of


async def record_many(api: Client, count: int) -> None:
    """Record many events in batches."""
    while count:
        now = min(count, 1000)
        records = [{"action_type": "import", "entity_type": "row", "details": {"n": n}}
                   for n in range(now)]  # fmt: skip
        response = await api.post(f"{AUDITS}/batch", json={"records": records})
        assert response.status_code == 201, response.text
        count -= now


async def test_a_new_log_has_no_checkpoint(api: Client, problem_of: ProblemOf) -> None:
    """Before the first record there is nothing to sign, and that is said."""
    assert problem_of(await api.get(f"{LOG}/checkpoint"), 404)["code"] == "no_checkpoint"
    assert (await api.get(f"{LOG}/key")).text.startswith(f"{ORIGIN}+")
    problem_of(await api.get(f"{LOG}/tile/0/000"), 404)


async def test_a_record_is_proved_by_its_own_content(
    api: Client, record: Record, checkpoint_of: Checkpoints
) -> None:
    """The entry from the log is the record, hashes to its leaf, and is in the signed tree."""
    made = [await record(details={"n": number}) for number in range(5)]
    checkpoint = await checkpoint_of(5)
    assert (checkpoint.origin, checkpoint.size) == (ORIGIN, 5)
    bundle = await api.get(f"{LOG}/tile/entries/000.p/5")
    assert bundle.headers["cache-control"] == "public, max-age=31536000, immutable"
    entries = list(unpack(bundle.content))
    verifiers = [verifier_of((await api.get(f"{LOG}/key")).text.strip())]
    for number, (entry, each) in enumerate(zip(entries, made, strict=True)):
        members = json.loads(entry)
        assert (members["id"], members["seq"], members["details"]) == (
            each["id"], number, {"n": number},
        )  # fmt: skip
        assert base64.b64encode(leaf_hash(entry)).decode() == each["leaf_hash"]
        response = await api.get(f"{AUDITS}/{each['id']}/proof")
        found = InclusionProof.parse(response.text)
        assert found.verify(entry, ORIGIN, verifiers) == checkpoint


async def test_a_record_after_the_checkpoint_says_so(
    api: Client, record: Record, problem_of: ProblemOf, checkpoint_of: Checkpoints
) -> None:
    """At once a proof is refused with a time to try again; soon after it is there."""
    await record()
    await checkpoint_of(1)
    made = await record()
    path = f"{AUDITS}/{made['id']}/proof"
    response = await api.get(path)
    assert problem_of(response, 409)["code"] == "not_in_a_checkpoint"
    assert response.headers["retry-after"] == "1"
    await checkpoint_of(2)
    assert (await api.get(path)).status_code == 200


async def test_each_event_of_a_record_is_proved(
    api: Client, record: Record, problem_of: ProblemOf, checkpoint_of: Checkpoints
) -> None:
    """Completed and deleted are leaves as well, and each version has its proof."""
    made = await record(status="pending")
    await api.put(f"{AUDITS}/{made['id']}", json={"status": "failure"})
    await api.delete(f"{AUDITS}/{made['id']}")
    await checkpoint_of(3)
    for version in (1, 2, 3):
        response = await api.get(f"{AUDITS}/{made['id']}/proof", params={"version": version})
        assert InclusionProof.parse(response.text).index == version - 1
    problem_of(await api.get(f"{AUDITS}/{made['id']}/proof", params={"version": 4}), 404)


async def test_the_tiles_make_every_proof(api: Client, checkpoint_of: Checkpoints) -> None:
    """From the tiles alone a client has the roots of both checkpoints, and their consistency."""
    await record_many(api, 300)
    old = await checkpoint_of(300)
    await record_many(api, 70_000 - 300)
    new = await checkpoint_of(70_000)
    spans = [*consistency_spans(old.size, new.size), *consistency_spans(65_536, 70_000)]
    tiles = {}
    for tile in tiles_of(needed(spans), new.size):
        response = await api.get(f"{LOG}/tile/{tile.path()}")
        assert response.status_code == 200, tile
        tiles[tile.level, tile.index] = response.content
    hash_of = hash_reader(tiles)
    path = proof(consistency_spans(old.size, new.size), hash_of)
    verify_consistency(old.size, old.root, new.size, new.root, path)
    for path_of_tile in ("2/000.p/1", "1/000", "1/001.p/17", "0/273.p/112", "0/272", "0/001.p/44"):
        assert (await api.get(f"{LOG}/tile/{path_of_tile}")).status_code == 200, path_of_tile
    edge = Edge()
    for number in range(274):
        suffix = "" if number < 273 else ".p/112"
        bundle = await api.get(f"{LOG}/tile/entries/{number:03d}{suffix}")
        for entry in unpack(bundle.content):
            list(edge.append(leaf_hash(entry)))
    assert (edge.size, edge.root()) == (new.size, new.root)


@pytest.mark.parametrize(
    "path",
    [
        "0/001",
        "0/000.p/9",
        "1/000.p/1",
        "0/000",
        "entries/000.p/9",
        "nonsense",
        "0/000.p/5/",
        "9/0",
    ],
)
async def test_what_no_checkpoint_covers_is_not_served(
    api: Client, record: Record, problem_of: ProblemOf, checkpoint_of: Checkpoints, path: str
) -> None:
    """A tile or bundle beyond the signed tree is a 404, as is any other path."""
    for _ in range(8):
        await record()
    await checkpoint_of(8)
    assert problem_of(await api.get(f"{LOG}/tile/{path}"), 404)["code"] == "not_in_the_log"


class Asking(ReadSession):
    """A session that remembers what it was asked."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self.asked: list[str] = []

    async def all(self, statement: Statement, **parameters: Any) -> list[Row]:
        """Remember a statement, and run it."""
        self.asked.append(str(statement))
        return await super().all(statement, **parameters)


async def test_a_tile_is_served_without_reading_signatures(
    database: Database, record: Record, checkpoint_of: Checkpoints
) -> None:
    """A tile or a bundle only asks how much is signed; the checkpoint reads witnesses' lines."""
    await record()
    await checkpoint_of(1)
    session = Asking(database)
    await service.tile(session, "default", Tile(0, 0, 1))
    await service.bundle(session, entries_between, "default", Tile(0, 0, 1))
    assert session.asked
    assert not [text for text in session.asked if "log_cosignature" in text]
    await service.checkpoint(session, "default")
    assert "log_cosignature" in session.asked[-1]


async def test_logs_of_tenants_are_apart(
    api: Client, record: Record, checkpoint_of: Checkpoints
) -> None:
    """Each tenant's log has its name, its keys and its tree."""
    await record(tenant="acme")
    checkpoint = await checkpoint_of(1, "/api/v1/log/acme")
    assert checkpoint.origin == "localhost/audits/acme"
    assert (await api.get(f"{LOG}/checkpoint")).status_code == 404


async def test_the_largest_record_has_its_place_in_a_bundle(
    api: Client, record: Record, checkpoint_of: Checkpoints
) -> None:
    """With every member as long as it may be, an entry still has at most 65,535 bytes."""
    longest = {"type": "\U0001f600" * 100, "id": "\U0001f600" * 255, "name": "\U0001f600" * 255}
    made = await record(
        actor=longest,
        targets=[longest] * 10,
        details={"text": "x" * (32_768 - 11)},
        user_agent="a" + "\x01" * 499,
        entity_type="\U0001f600" * 100,
        entity_ref="\U0001f600" * 255,
        correlation_id="\U0001f600" * 128,
        action="a" * 100,
        ip_address="2001:db8:1111:2222:3333:4444:5555:6666",
        user_id="7f3f8e3e-1d7a-4f39-9b57-3a3f6f3b2c10",
        entity_id="7f3f8e3e-1d7a-4f39-9b57-3a3f6f3b2c11",
    )
    await checkpoint_of(1)
    [entry] = unpack((await api.get(f"{LOG}/tile/entries/000.p/1")).content)
    assert "details" in json.loads(entry)
    assert 60_000 < len(entry) <= 65_535
    assert base64.b64encode(leaf_hash(entry)).decode() == made["leaf_hash"]


async def test_a_changed_key_is_named_by_the_one_before(
    make_app: MakeApp, problem_of: ProblemOf
) -> None:
    """Checkpoints verify with either key and with ML-DSA; the old key's note names the new one."""
    before, now, ml_dsa = (
        SecretStr(base64.b64encode(letter * 32).decode()) for letter in (b"o", b"n", b"m")
    )
    async with client(make_app(signing_key=before)) as api:
        await api.post(AUDITS, json={"action_type": "other", "entity_type": "x"})
        [old_key] = (await api.get(f"{LOG}/key")).text.splitlines()
        problem_of(await api.get(f"{LOG}/rotation"), 404)
    changed = make_app(signing_key=now, previous_signing_key=before, ml_dsa_signing_key=ml_dsa)
    async with client(changed) as api:
        await api.post(AUDITS, json={"action_type": "other", "entity_type": "x"})
        await api.get(f"{AUDITS}/export")
        note = Note.parse((await api.get(f"{LOG}/checkpoint")).text)
        keys = (await api.get(f"{LOG}/key")).text.splitlines()
        assert len(keys) == 3
        assert keys[1] == old_key
        for key in keys:
            assert len(note.verified([verifier_of(key)])) == 1
        rotation = Note.parse((await api.get(f"{LOG}/rotation")).text)
        rotation.verified([verifier_of(old_key)])
        assert keys[0] in rotation.text
