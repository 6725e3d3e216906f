"""One byte changed where an intruder would: `bedplate audits verify` says which record."""

from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from audits.transparency.checkpoint import verifier_of
from audits.transparency.note import Note, Verifier
from audits.verification.finding import Broken
from audits.verification.log import LogFolder, verify_log
from bedplate.database import Database
from bedplate.testing.client import Client

Signed = Callable[..., Awaitable[Note]]
Mirror = Callable[[Path], Awaitable[Path]]

AUDITS = "/api/v1/audits"
LOG = "/api/v1/log/default"
COUNT = 600


@pytest.fixture(name="records")
async def _records(api: Client, signed: Signed) -> list[str]:
    """Record some hundred events, and give their ids in order when they are signed."""
    body = {
        "records": [
            {"action_type": "create", "entity_type": "invoice", "details": {"total": number}}
            for number in range(COUNT)
        ]
    }
    stored = (await api.post(f"{AUDITS}/batch", json=body)).json()
    await signed(COUNT)
    ids: list[str] = stored["ids"]
    return ids


@pytest.fixture(name="verifiers")
async def _verifiers(api: Client) -> list[Verifier]:
    return [verifier_of(line) for line in (await api.get(f"{LOG}/key")).text.splitlines()]


async def change(database: Database, statement: str) -> None:
    """Change the database as its owner could, with the guards switched off."""
    async with database.engine.begin() as connection:
        if database.dialect.name == "postgresql":
            await connection.execute(text("SET LOCAL session_replication_role = replica"))
        else:
            for table in ("audit", "log_append", "log_tile"):
                await connection.execute(text(f"DROP TRIGGER {table}_no_UPDATE"))
        await connection.execute(text(statement))


async def test_an_untouched_log_is_verified(
    records: list[str], verifiers: list[Verifier], tmp_path: Path, mirror: Mirror
) -> None:
    """Every entry of a copied log is verified, and the copy needs no server."""
    verified = verify_log(LogFolder(await mirror(tmp_path / "log")), verifiers)
    assert (verified.records, verified.origin) == (COUNT, "localhost/audits/default")
    assert len(records) == COUNT


async def test_a_changed_row_is_named(
    database: Database,
    records: list[str],
    verifiers: list[Verifier],
    tmp_path: Path,
    mirror: Mirror,
) -> None:
    """After one digit in the database is changed, the verification names the record."""
    document = "'{\"total\": 43}'"
    value = document if database.dialect.name == "sqlite" else f"{document}::jsonb"
    await change(database, f"UPDATE audit SET details = {value} WHERE seq = 300")
    with pytest.raises(Broken, match=f"record seq=300 id={records[300]}"):
        verify_log(LogFolder(await mirror(tmp_path / "log")), verifiers)


async def test_a_changed_tile_is_found(
    verifiers: list[Verifier], tmp_path: Path, mirror: Mirror, records: list[str]
) -> None:
    """One byte of a full tile in the database, and of a mirrored one: the tile is named."""
    folder = LogFolder(await mirror(tmp_path / "log"))
    file = tmp_path / "log" / "tile" / "0" / "001"
    whole = file.read_bytes()
    file.write_bytes(whole[:99] + bytes([whole[99] ^ 1]) + whole[100:])
    with pytest.raises(Broken, match="tile seq=259"):
        verify_log(folder, verifiers)
    file.write_bytes(whole)
    verify_log(folder, verifiers)
    entries = tmp_path / "log" / "tile" / "entries" / "002.p" / "88"
    entries.write_bytes(entries.read_bytes().replace(b'"total":599', b'"total":598'))
    with pytest.raises(Broken, match=f"record seq=599 id={records[599]}"):
        verify_log(folder, verifiers)


async def test_a_changed_hash_above_the_leaves_is_found(
    database: Database,
    records: list[str],
    verifiers: list[Verifier],
    tmp_path: Path,
    mirror: Mirror,
) -> None:
    """The tiles from which proofs are made are compared too, also the last one of each level."""
    other = "(SELECT root FROM log_tile WHERE level = 0 AND number = 1)"
    await change(database, f"UPDATE log_tile SET root = {other} WHERE level = 0 AND number = 0")
    folder = LogFolder(await mirror(tmp_path / "log"))
    with pytest.raises(Broken, match=r"tile/1/000\.p/2 isn't made from the tiles below"):
        verify_log(folder, verifiers)
    (tmp_path / "log" / "tile" / "1" / "000.p" / "2").unlink()
    assert verify_log(folder, verifiers).records == len(records)


async def test_a_cut_tail_is_found(
    verifiers: list[Verifier], tmp_path: Path, mirror: Mirror, records: list[str]
) -> None:
    """Entries and their hashes that were removed together don't lead to the signed root."""
    folder = LogFolder(await mirror(tmp_path / "log"))
    path = tmp_path / "log" / "checkpoint"
    signed = path.read_bytes()
    path.write_bytes(signed.replace(b"\n600\n", b"\n599\n"))
    with pytest.raises(Broken, match="checkpoint"):
        verify_log(folder, verifiers)
    path.write_bytes(signed)
    for name in ("tile/0/002.p/88", "tile/entries/002.p/88"):
        (tmp_path / "log" / name).unlink()
    with pytest.raises(Broken, match="tile"):
        verify_log(folder, verifiers)
    assert len(records) == COUNT


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit SET status = 'failure'",
        "DELETE FROM audit",
        "UPDATE log_append SET end_seq = 0",
        "DELETE FROM log_append",
        "DELETE FROM log_checkpoint",
    ],
)
async def test_even_the_owner_needs_more_than_a_statement(
    database: Database, records: list[str], statement: str
) -> None:
    """The tables of the log refuse UPDATE and DELETE to whoever may write them."""

    async def run() -> None:
        async with database.engine.begin() as connection:
            await connection.execute(text(statement))

    with pytest.raises(DBAPIError, match="never changed"):
        await run()
    assert len(records) == COUNT
