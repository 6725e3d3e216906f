"""A log whose checkpoints go to a witness, as a process of its own, and one that fails."""

import asyncio
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from fastapi import FastAPI

from audits.settings import AuditsSettings
from audits.transparency.checkpoint import Ed25519Cosigner, verifier_of
from audits.transparency.note import Note, NoteError
from audits.transparency.proof import InclusionProof
from bedplate.settings import SettingsError
from bedplate.testing.client import Client, client
from bedplate.testing.processes import ServerProcess, free_port

MakeApp = Callable[..., FastAPI]
AUDITS = "/api/v1/audits"
LOG = "/api/v1/log/default"
NEW = {"action_type": "create", "entity_type": "invoice"}
BEDPLATE = str(Path(sys.executable).with_name("bedplate"))
COSIGNER = Ed25519Cosigner("witness.example.com/w", b"development-only-witness-key-001")


@pytest.fixture
async def witness(make_app: MakeApp, tmp_path: Path) -> AsyncIterator[ServerProcess]:
    """Give a witness of the log under test: `bedplate audits witness`."""
    async with client(make_app()) as api:
        vkey = (await api.get(f"{LOG}/key")).text.splitlines()[0]
    port = free_port()
    process = ServerProcess(
        [BEDPLATE, "audits", "witness", "--port", str(port)],
        url=f"http://127.0.0.1:{port}/{'0' * 64}/checkpoint",
        env={
            "AUDITS_WITNESS_NAME": COSIGNER.name,
            "AUDITS_WITNESS_LOGS": vkey,
            "AUDITS_WITNESS_FOLDER": str(tmp_path / "witness"),
        },
        cwd=tmp_path,
        timeout_seconds=60,
    )
    async with process:
        yield process


async def cosigned(api: Client, size: int) -> Note:
    """Return the checkpoint of a size when it has the witness's signature."""
    verifier = verifier_of(COSIGNER.vkey)
    for _ in range(200):
        answer = await api.get(f"{LOG}/checkpoint")
        if answer.status_code == 200 and f"\n{size}\n" in answer.text:
            note = Note.parse(answer.text)
            try:
                note.verified([verifier])
            except NoteError:
                pass
            else:
                return note
        await asyncio.sleep(0.05)
    raise AssertionError("no cosigned checkpoint within ten seconds")


async def test_checkpoints_carry_the_witness_s_signature(
    make_app: MakeApp, witness: ServerProcess
) -> None:
    """Checkpoints and proofs are cosigned, also after the witness has been away for a while."""
    url = witness.url.rsplit("/", 2)[0] if witness.url else ""
    nowhere = f"http://127.0.0.1:{free_port()}"
    witnesses = [f"{url} {COSIGNER.vkey}", f"{nowhere} {COSIGNER.vkey}"]
    async with client(make_app(witnesses=witnesses)) as api:
        made = (await api.post(AUDITS, json=NEW)).json()
        note = await cosigned(api, 1)
        keys = (await api.get(f"{LOG}/key")).text.splitlines()
        verifiers = [*(verifier_of(key) for key in keys), verifier_of(COSIGNER.vkey)]
        assert len(note.verified(verifiers)) == 2
        proof = InclusionProof.parse((await api.get(f"{AUDITS}/{made['id']}/proof")).text)
        assert len(proof.checkpoint.verified(verifiers)) == 2
        await asyncio.to_thread(witness.kill)
        for _ in range(3):
            await api.post(AUDITS, json=NEW)
        await asyncio.sleep(0.6)
        await asyncio.to_thread(witness.start)
        await api.post(AUDITS, json=NEW)
        await cosigned(api, 5)


async def test_an_export_leaves_the_checkpoint_to_the_witness(
    make_app: MakeApp, witness: ServerProcess
) -> None:
    """An export signs what it holds; that checkpoint is cosigned too, without another record."""
    url = witness.url.rsplit("/", 2)[0] if witness.url else ""
    async with client(make_app(witnesses=[f"{url}/ {COSIGNER.vkey}"])) as api:
        await api.post(AUDITS, json=NEW)
        assert (await api.get(f"{AUDITS}/export")).status_code == 200
        await cosigned(api, 1)


async def test_a_witness_that_hangs_holds_up_nothing(make_app: MakeApp) -> None:
    """Checkpoints of all logs are signed within seconds, and the server stops within some too."""
    connections: list[asyncio.StreamWriter] = []

    async def hang(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connections.append(writer)

    async with await asyncio.start_server(hang, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        async with (
            client(make_app(witnesses=[f"http://127.0.0.1:{port} {COSIGNER.vkey}"])) as api,
            asyncio.timeout(5),
        ):
            for tenant in ("a", "b", "c"):
                await api.post(AUDITS, json={**NEW, "tenant": tenant})
                for _ in range(100):
                    answer = await api.get(f"/api/v1/log/{tenant}/checkpoint")
                    if answer.status_code == 200:
                        break
                    await asyncio.sleep(0.05)
                assert answer.status_code == 200
        assert connections
        for writer in connections:
            writer.close()


@pytest.mark.parametrize("url", ["http://[", "http://me:secret@example.com", "ftp://example.com"])
def test_a_witness_needs_a_url(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error names the variable, and doesn't repeat a password."""
    monkeypatch.setenv("AUDITS_WITNESSES", f"{url} {COSIGNER.vkey}")
    with pytest.raises(SettingsError, match="AUDITS_WITNESSES") as refused:
        AuditsSettings.load(_env_file=None)
    assert "secret" not in str(refused.value)
