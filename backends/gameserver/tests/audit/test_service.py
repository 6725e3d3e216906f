"""Who did what."""

import asyncio
from pathlib import Path

from gameserver.audit.service import KEPT_FILES, NEWEST, Audit


def sizes_in(folder: Path) -> list[int]:
    """Return the sizes of the files in a folder."""
    return [path.stat().st_size for path in folder.iterdir()]


async def test_newest_first(tmp_path: Path) -> None:
    """Entries come back with who, what and details, the newest first."""
    audit = Audit(tmp_path)
    assert (await audit.page(limit=10)).items == []
    await audit.record("ada", "command", command="/time")
    await audit.record("manager", "start")
    first, second = (await audit.page(limit=10)).items
    assert (first.by, first.action, first.details) == ("manager", "start", {})
    assert (second.by, second.details) == ("ada", {"command": "/time"})
    assert [entry.by for entry in (await audit.page(limit=1)).items] == ["manager"]


async def test_files_rotate(tmp_path: Path) -> None:
    """A file that is full becomes an older one; the oldest goes, the newest entries stay."""
    audit = Audit(tmp_path, max_file_bytes=1000)
    for number in range(200):
        await audit.record("ada", "command", command=f"/say {number}")
    sizes = sizes_in(tmp_path)
    assert len(sizes) == KEPT_FILES
    assert max(sizes) <= 1000
    numbers = [int(entry.details["command"][5:]) for entry in (await audit.page(limit=1000)).items]
    assert numbers == list(range(199, 199 - len(numbers), -1))


async def test_many_at_once(tmp_path: Path) -> None:
    """Entries of many tasks are lines of their own, whole and complete."""
    audit = Audit(tmp_path, max_file_bytes=1500)
    records = (audit.record("ada", "command", command=f"/say {number}") for number in range(20))
    await asyncio.gather(*records)
    said = {entry.details["command"] for entry in (await audit.page(limit=1000)).items}
    assert said == {f"/say {number}" for number in range(20)}


async def test_a_torn_line_is_passed_over(tmp_path: Path) -> None:
    """What a crash left half-written hides no other entry."""
    audit = Audit(tmp_path)
    await audit.record("ada", "start")
    with (tmp_path / NEWEST).open("ab") as file:
        file.write(b'\xff\xfe\n{"at": "2026-')
    await audit.record("ada", "stop")
    assert [entry.action for entry in (await audit.page(limit=10)).items] == ["stop", "start"]


async def test_a_disk_that_refuses_keeps_nobody_from_acting(tmp_path: Path) -> None:
    """What can't be written down is logged; the caller goes on."""
    audit = Audit(tmp_path / "missing")
    await audit.record("ada", "stop")
    assert (await audit.page(limit=10)).items == []


async def test_long_details_are_cut(tmp_path: Path) -> None:
    """A detail of any length takes a bounded place."""
    audit = Audit(tmp_path)
    await audit.record("ada", "stop", reason="x" * 1_000_000)
    assert max(sizes_in(tmp_path)) < 3_000
