"""Go's own transparency-log packages verify our log. Debian: golang-go, golang-golang-x-mod-dev."""

import os
import shutil
import subprocess
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from audits.transparency.note import Note
from bedplate.testing.client import Client

PROGRAM = Path(__file__).with_name("go") / "verify.go"
PACKAGES = Path("/usr/share/gocode/src/golang.org/x/mod/sumdb")
Signed = Callable[..., Awaitable[Note]]
Mirror = Callable[[Path], Awaitable[Path]]

AUDITS = "/api/v1/audits"
LOG = "/api/v1/log/default"

needs_go = pytest.mark.skipif(
    shutil.which("go") is None or not PACKAGES.is_dir(),
    reason="apt-get install golang-go golang-golang-x-mod-dev, to verify with Go's packages",
)


@pytest.fixture(scope="module", name="verifier")
def _verifier(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Give the path of the compiled Go program."""
    folder = tmp_path_factory.mktemp("go")
    environment = {
        **os.environ,
        "GOPATH": "/usr/share/gocode",
        "GO111MODULE": "off",
        "GOCACHE": str(folder / "cache"),
    }
    program = str(folder / "verify")
    subprocess.run(["go", "build", "-o", program, str(PROGRAM)], env=environment, check=True)
    return program


async def record_many(api: Client, count: int) -> None:
    """Record events in one batch."""
    records = [
        {"action_type": "other", "entity_type": "row", "details": {"n": number, "x": 0.5}}
        for number in range(count)
    ]
    assert (await api.post(f"{AUDITS}/batch", json={"records": records})).status_code == 201


@needs_go
async def test_go_verifies_signature_inclusion_and_consistency(
    api: Client, verifier: str, tmp_path: Path, signed: Signed, mirror: Mirror
) -> None:
    """Go accepts our keys, notes, tiles and entries, and refuses each after one changed byte."""
    old = tmp_path / "old"
    await record_many(api, 77)
    old.write_text(str(await signed(77)))
    await record_many(api, 623)
    await signed(700)
    log = await mirror(tmp_path / "log")
    vkey = (await api.get(f"{LOG}/key")).text.splitlines()[0]

    def verify(index: int) -> str:
        return subprocess.run(
            [verifier, vkey, str(log), str(old), str(index)],
            check=False, capture_output=True, text=True,
        ).stdout.strip()  # fmt: skip

    assert {verify(index) for index in (0, 76, 77, 255, 256, 511, 512, 699)} == {"verified"}
    for path, before, after in (
        (log / "tile/entries/001", b'"n":223', b'"n":224'),
        (log / "checkpoint", b"\n700\n", b"\n699\n"),
        (old, b"\n77\n", b"\n78\n"),
    ):
        whole = path.read_bytes()
        assert before in whole
        path.write_bytes(whole.replace(before, after, 1))
        assert verify(300) != "verified", path
        path.write_bytes(whole)
    tile = log / "tile/0/001"
    whole = tile.read_bytes()
    tile.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    assert verify(300) != "verified"
    tile.write_bytes(whole)
    assert verify(300) == "verified"
