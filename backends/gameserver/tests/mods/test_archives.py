"""Mods as zip files: whatever is in them, they are refused or harmless."""

import io
import stat
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gameserver.archives.names import is_safe_name
from gameserver.mods.archives import ZipBounds, check_mod
from gameserver.mods.exceptions import InvalidModFile

MakeZip = Callable[..., bytes]
SMALL = ZipBounds(
    packed=100_000, entries=5, directory=10_000, total=50_000, single=20_000, ratio=10,
    ratio_matters_from=5_000,
)  # fmt: skip
UNSAFE_NAMES = [
    "../evil", "a/../../evil", "/etc/evil", "\\evil", "..\\evil", "C:\\evil", "C:evil", "a\\..\\b",
    "a\nb", "a\x7fb", "assets/..",
]  # fmt: skip


@pytest.fixture
def zip_file(tmp_path: Path) -> Callable[[bytes], Path]:
    """Give what writes bytes to a file that is to be checked."""

    def zip_file(content: bytes) -> Path:
        path = tmp_path / "mod.zip"
        path.write_bytes(content)
        return path

    return zip_file


def special(name: str, kind: int) -> zipfile.ZipInfo:
    """Return an entry of a kind: a link, a device, …"""
    info = zipfile.ZipInfo(name)
    info.create_system = 3
    info.external_attr = (kind | 0o777) << 16
    return info


def test_a_sound_mod_passes(make_zip: MakeZip, zip_file: Callable[[bytes], Path]) -> None:
    """A mod with folders, assets and a modinfo at its root is what it says."""
    entries = {"assets/": b"", "assets/lamps/a.json": b"{}", special("x.sh", stat.S_IFREG): b"1"}
    info = check_mod(zip_file(make_zip("lamps", "1.2.3", entries)))
    assert (info.mod_id, info.version) == ("lamps", "1.2.3")


@pytest.mark.parametrize("name", UNSAFE_NAMES)
def test_names_that_lead_elsewhere_are_refused(
    make_zip: MakeZip, zip_file: Callable[[bytes], Path], name: str
) -> None:
    """No entry may leave the folder that the game unpacks a mod to, on any system."""
    assert not is_safe_name(name, windows=True)
    with pytest.raises(InvalidModFile):
        check_mod(zip_file(make_zip(entries={name: b"x"})))


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFCHR, stat.S_IFBLK, stat.S_IFIFO])
def test_links_and_devices_are_refused(
    make_zip: MakeZip, zip_file: Callable[[bytes], Path], kind: int
) -> None:
    """An entry that is no file and no folder is refused."""
    with pytest.raises(InvalidModFile):
        check_mod(zip_file(make_zip(entries={special("x", kind): b"/etc/passwd"})))


@pytest.mark.parametrize(
    "entries",
    [
        {f"{number}": b"" for number in range(6)},
        {"large": b"\0" * 20_001},
        {f"part{number}": bytes([number]) * 15_000 for number in range(4)},
        {"packed": b"\0" * 19_000},
        {"x" * 60_000: b""},
    ],
    ids=["entries", "single", "total", "ratio", "directory"],
)
def test_bombs_are_refused(
    make_zip: MakeZip, zip_file: Callable[[bytes], Path], entries: dict[str, bytes]
) -> None:
    """Too many entries, too large ones, too much in all, too good a ratio: all are refused."""
    with pytest.raises(InvalidModFile):
        check_mod(zip_file(make_zip(entries=entries)), SMALL)


def test_a_declared_size_is_not_believed(
    make_zip: MakeZip, zip_file: Callable[[bytes], Path]
) -> None:
    """An entry that is larger than its directory says is damaged, not unpacked further."""
    content = bytearray(make_zip(entries={"large": b"\0" * 1_000_000}))
    at = content.rindex(b"PK\x01\x02")
    content[at + 24 : at + 28] = (10).to_bytes(4, "little")
    with pytest.raises(InvalidModFile):
        check_mod(zip_file(bytes(content)))


@pytest.mark.parametrize("names", [[], ["sub/modinfo.json"], ["modinfo.json", "ModInfo.JSON"]])
def test_a_mod_has_one_modinfo_at_its_root(
    zip_file: Callable[[bytes], Path], names: list[str]
) -> None:
    """Without a modinfo.json at the root, or with two, it can't be known what mod it is."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name in names:
            archive.writestr(name, '{"modid": "lamps"}')
    with pytest.raises(InvalidModFile):
        check_mod(zip_file(buffer.getvalue()))


@settings(
    max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_damaged_files_are_refused_or_read(
    make_zip: MakeZip, zip_file: Callable[[bytes], Path], tmp_path: Path, data: st.DataObject
) -> None:
    """Whatever bytes of a zip are cut, changed or added, it is refused or read; nothing else."""
    content = bytearray(make_zip(entries={"a": b"text" * 50}))
    for _ in range(data.draw(st.integers(1, 5))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    cut = data.draw(st.integers(0, len(content)))
    try:
        check_mod(zip_file(bytes(content[:cut]) + data.draw(st.binary(max_size=30))))
        check_mod(zip_file(bytes(content)))
    except InvalidModFile:
        pass
    assert [path.name for path in tmp_path.iterdir()] == ["mod.zip"]


@given(st.text(min_size=1))
def test_a_safe_name_stays_within(name: str) -> None:
    """What passes as a name ends up below the folder that it is joined to."""
    if is_safe_name(name, windows=True):
        parts = Path("/folder", *name.replace("\\", "/").split("/")).parts
        assert parts[:2] == ("/", "folder")
        assert ".." not in parts
