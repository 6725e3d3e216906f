"""Changes of Mods/ survive kill -9: files and the memory of them are both old or both new."""

import asyncio
import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from bedplate.documents import Document, FileTransactions
from gameserver.layout import Layout
from gameserver.mods.folder import ModsFolder
from gameserver.mods.inventory import Inventory
from gameserver.mods.schemas import ModsState

WORKER = """
import asyncio, hashlib, sys
from datetime import UTC, datetime
from pathlib import Path
from bedplate.documents import Document, FileTransactions
from gameserver.layout import Layout
from gameserver.mods.changes import Change, Changes
from gameserver.mods.folder import ModsFolder
from gameserver.mods.inventory import Inventory
from gameserver.mods.schemas import ModsState, Origin, Record

async def main(root):
    layout = Layout(root)
    document = Document(layout.state / "mods.json", ModsState, default=ModsState)
    inventory = Inventory(ModsFolder(layout.mods), document)
    changes = Changes(inventory, FileTransactions(layout.journal), layout.previous_mods, max_kept=3)
    print("ready", flush=True)
    for number in range(10_000):
        staging = layout.staging / str(number)
        staging.mkdir()
        if number % 4 == 3:
            await changes.undo(None, staging, force=False)
            continue
        change = Change(f"change {number}")
        for mod_id in ("a", "b", "c"):
            content = f"{mod_id} {number}".encode()
            (staging / mod_id).write_bytes(content)
            name = f"{mod_id}.zip"
            change.files[name] = staging / mod_id
            change.replaces.add(name)
            change.records[mod_id] = Record(
                mod_id=mod_id, version=str(number), file=name, origin=Origin.UPLOAD,
                sha256=hashlib.sha256(content).hexdigest(), installed_by="test",
                installed_at=datetime.now(UTC),
            )
        await changes.make(change, staging, by="test")

asyncio.run(main(Path(sys.argv[1])))
"""


@pytest.mark.parametrize("milliseconds", [3, 11, 23, 41, 67, 97])
async def test_a_killed_change_is_whole_or_undone(tmp_path: Path, milliseconds: int) -> None:
    """Killed at any moment, after recovery every file is the one that is remembered."""
    layout = Layout(tmp_path)
    await asyncio.to_thread(layout.create)
    worker = await asyncio.create_subprocess_exec(
        sys.executable, "-c", WORKER, str(tmp_path), stdout=subprocess.PIPE
    )
    assert worker.stdout is not None
    assert await worker.stdout.readline() == b"ready\n"
    await asyncio.sleep(milliseconds / 1000)  # the moment of the kill is what varies
    worker.kill()
    await worker.wait()
    await FileTransactions(layout.journal).recover()
    document = Document(layout.state / "mods.json", ModsState, default=ModsState)
    stock = await Inventory(ModsFolder(layout.mods), document).installed()
    remembered = {record.file: record.sha256 for record in stock.state.records.values()}
    assert remembered == {file.name: file.sha256 for file in stock.files}
    assert len({record.version for record in stock.state.records.values()}) <= 1
    for generation in stock.state.generations:
        for change in generation.files:
            if change.former is not None:
                assert (layout.previous_mods / generation.id / change.former).is_file()


def test_the_hash_of_a_file_is_its_sha256(tmp_path: Path) -> None:
    """What is remembered of a file can be checked with any other tool."""
    (tmp_path / "a.zip").write_bytes(b"content")
    (found,) = ModsFolder(tmp_path).files()
    assert found.sha256 == hashlib.sha256(b"content").hexdigest()
    shutil.rmtree(tmp_path)
    assert ModsFolder(tmp_path).files() == []
