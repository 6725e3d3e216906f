"""`bedplate audits …` as a person types it."""

import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from audits.commands import app
from audits.log.chain import Chains
from audits.log.service import Notary, latest
from audits.log.wiring import log_keys
from audits.records.export import Export
from audits.records.repository import Filter
from audits.records.schemas import AuditNew
from audits.records.service import Skew, Trail
from audits.settings import AuditsSettings
from bedplate.cli.exceptions import CommandError
from bedplate.database import Database

BEDPLATE = str(Path(sys.executable).with_name("bedplate"))
NEW = AuditNew(action_type="create", entity_type="invoice", ip_address="192.0.2.7")


def bedplate(*arguments: str, cwd: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run `bedplate audits` with some variables and nothing else of this machine's settings."""
    return subprocess.run(
        [BEDPLATE, "audits", *arguments],
        check=False, capture_output=True, text=True, cwd=cwd,
        env={"PATH": "/usr/bin:/bin", **variables},
    )  # fmt: skip


@pytest.fixture
async def exported(settings: AuditsSettings, tmp_path: Path) -> tuple[Path, str, str]:
    """Record three events; give an export, the log's keys, and the id of the second record."""
    skew = Skew(timedelta(minutes=5), timedelta(days=30))
    async with Database.open(settings) as database:
        async with Trail(database, Chains(), skew=skew, sensitive=["ip_address"]) as trail:
            made = await trail.create("default", [NEW] * 3)
        keys = log_keys(settings)
        await Notary(database, keys).sign("default")
        session = database.read()
        checkpoint = await latest(session, "default")
        assert checkpoint is not None
        export = Export(session, "default", Filter(), size=3, note=checkpoint["note"])
        path = tmp_path / "trail.ndjson"
        path.write_bytes(b"".join([chunk async for chunk in export.lines("ndjson")]))
    return path, "\n".join(keys.vkeys("default")), str(made[1]["id"])


async def test_an_export_is_verified(exported: tuple[Path, str, str]) -> None:
    """Exit code 0 and one line; after one changed byte 1, and a line that names the record."""
    path, key, record_id = exported
    done = bedplate("verify", path.name, "--key", key, cwd=path.parent)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(
        "Verified: 3 of the 3 entries in the log localhost/audits/default"
    )
    lines = path.read_bytes().splitlines(keepends=True)
    lines[2] = lines[2].replace(b"invoice", b"invoyce")
    path.write_bytes(b"".join(lines))
    broken = bedplate("verify", path.name, "--key", key, cwd=path.parent)
    assert (broken.returncode, broken.stdout) == (1, "")
    assert f"Not verified. record seq=1 id={record_id}" in broken.stderr


async def test_wrong_arguments_are_one_line(exported: tuple[Path, str, str]) -> None:
    """A missing file, a broken key, a server that isn't there: exit code 1 and a sentence."""
    path, key, _ = exported
    for arguments in (
        ("verify", "nowhere", "--key", key),
        ("verify", path.name, "--key", "no key"),
        ("verify", path.name, "--key", ""),
        ("verify", "http://127.0.0.1:1/log", "--key", key),
    ):
        done = bedplate(*arguments, cwd=path.parent)
        assert done.returncode == 1, arguments
        assert done.stderr.startswith("Error: ")
        assert done.stderr.count("\n") == 1


async def test_values_are_erased_and_pruned(
    settings: AuditsSettings, exported: tuple[Path, str, str]
) -> None:
    """`erase` names what it erased, the second time nothing; `prune` says what it removed."""
    path, _, record_id = exported
    url = settings.database_url.get_secret_value()

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return bedplate(*arguments, cwd=path.parent, DATABASE_URL=url)

    assert run("erase", record_id).stdout == "Erased: ip_address.\n"
    assert run("erase", record_id).stdout == "Erased: nothing was there.\n"
    unknown = run("erase", "00000000-0000-0000-0000-000000000000")
    assert (unknown.returncode, unknown.stderr) == (1, "Error: There is no such record.\n")
    assert run("prune", "--before", "2020-01-01").stdout == (
        "Nothing was removed: entries go in whole bundles of 256.\n"
    )


@pytest.mark.parametrize(
    "words",
    [["erase", "00000000-0000-0000-0000-000000000000"], ["prune", "--before", "2020-01-01"]],
    ids=["erase", "prune"],
)
def test_a_database_that_is_away_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: list[str]
) -> None:
    """Without its database a command ends with one sentence that names the setting."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DATABASE_URL", "postgresql://app:hunter2@127.0.0.1:1/audits")
    done = CliRunner().invoke(app, words)
    assert isinstance(done.exception, CommandError)
    assert str(done.exception).startswith("audits: its database is unavailable (")
    assert "hunter2" not in str(done.exception)
