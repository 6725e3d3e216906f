"""Unpacking: hostile and damaged archives are refused, and nothing is written elsewhere."""

import gzip
import io
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest
import zstandard

from gameserver.archives.exceptions import (
    ArchiveError,
    DamagedArchive,
    OversizeArchive,
    UnsafeArchive,
)
from gameserver.archives.unpacking import ArchivedFile, GameHeader, Limits, Unpacking
from gameserver_simulator.stand_ins.game_files import Fault, game_file

LIMITS = Limits(entries=50, total_bytes=1 << 20, member_bytes=1 << 19)


def _member(name: str, content: bytes = b"x", **changes: object) -> tuple[tarfile.TarInfo, bytes]:
    info = tarfile.TarInfo(name)
    info.size = len(content)
    for key, value in changes.items():
        setattr(info, key, value)
    return info, content


def _tar(*members: tuple[tarfile.TarInfo, bytes]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for info, content in members:
            archive.addfile(info, io.BytesIO(content) if info.isreg() else None)
    return buffer.getvalue()


def _unpack(content: bytes, target: Path, limits: Limits = LIMITS) -> dict[str, ArchivedFile]:
    compressed = zstandard.compress(content)
    return Unpacking(target, limits).unpack_zstandard(io.BytesIO(compressed))


def test_files_come_out_with_size_and_digest(tmp_path: Path) -> None:
    """An honest archive is unpacked, folders and all, and each file is described."""
    info, _ = _member("a")
    info.type = tarfile.DIRTYPE
    files = _unpack(_tar((info, b""), _member("a/b.txt", b"hello")), tmp_path / "new")
    assert (tmp_path / "new/a/b.txt").read_bytes() == b"hello"
    assert files["a/b.txt"].size == 5
    assert files["a/b.txt"].sha256.startswith("2cf24dba5fb0a30e")


@pytest.mark.parametrize(
    "name",
    [
        "../evil", "a/../../evil", "/tmp/evil", "a\\..\\evil", "C:/evil", "a\nb", "..", "", ".",
        "x" * 300, "/".join("a" * 40), "a/" * 600 + "b", "\udcff",
    ],
)  # fmt: skip
def test_a_name_that_leads_astray_is_refused(name: str, tmp_path: Path) -> None:
    """Nothing leaves the target: neither upwards, nor absolute, nor with tricks."""
    with pytest.raises(ArchiveError):
        _unpack(_tar(_member(name)), tmp_path / "new")
    assert {path.name for path in tmp_path.iterdir()} <= {"new"}


@pytest.mark.parametrize(
    "kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE]
)
def test_links_and_devices_are_refused(kind: bytes, tmp_path: Path) -> None:
    """Only files and folders are taken, also where the link leads to a file of the archive."""
    for target in ("/etc/passwd", "b"):
        content = _tar(_member("b"), _member("a", b"", type=kind, linkname=target))
        with pytest.raises(UnsafeArchive):
            _unpack(content, tmp_path / f"new-{target.count('/')}")


def test_a_sparse_file_is_refused(tmp_path: Path) -> None:
    """A sparse file would unpack to far more than it takes in the archive."""
    sparse = {"GNU.sparse.size": "99999999999", "GNU.sparse.map": "0,1"}
    with pytest.raises(ArchiveError):
        _unpack(_tar(_member("a", pax_headers=sparse)), tmp_path / "new")


def test_two_files_of_one_name_are_refused(tmp_path: Path) -> None:
    """A second file can't replace one that was checked."""
    with pytest.raises(UnsafeArchive):
        _unpack(_tar(_member("a"), _member("./a")), tmp_path / "new")


def test_a_file_in_the_place_of_a_folder_is_refused(tmp_path: Path) -> None:
    """A path through a file is a clear error, not a crash."""
    with pytest.raises(UnsafeArchive):
        _unpack(_tar(_member("a"), _member("a/b")), tmp_path / "new")


@pytest.mark.parametrize(
    "members",
    [
        [_member(f"{number}") for number in range(51)],
        [_member("a", bytes((1 << 19) + 1))],
        [_member(name, bytes(1 << 19)) for name in "abc"],
    ],
    ids=["entries", "one member", "total"],
)
def test_a_bomb_is_refused(members: list[tuple[tarfile.TarInfo, bytes]], tmp_path: Path) -> None:
    """Entries, a single file and all files together have their limits."""
    with pytest.raises(OversizeArchive):
        _unpack(_tar(*members), tmp_path / "new")


def test_an_enormous_header_is_refused_before_it_is_read(tmp_path: Path) -> None:
    """An extended header that claims gigabytes costs no memory."""
    info = tarfile.TarInfo("pax")
    info.type, info.size = tarfile.XHDTYPE, 8**11 - 1
    with pytest.raises(UnsafeArchive):
        _unpack(info.tobuf(tarfile.USTAR_FORMAT) + bytes(10_240), tmp_path / "new")


@pytest.mark.parametrize(
    "spoil",
    [
        lambda content: content[: len(content) // 2],
        lambda content: b"",
        lambda content: b"<html>not found</html>",
        lambda content: content[:200] + b"\xff" * 20 + content[220:],
    ],
    ids=["cut", "empty", "no archive", "flipped"],
)
def test_a_damaged_archive_is_said_to_be_damaged(
    spoil: Callable[[bytes], bytes], tmp_path: Path
) -> None:
    """Whatever is wrong with the bytes, the error is ours."""
    noise = bytes(range(256)) * 500
    content = gzip.compress(_tar(_member("a", noise)), mtime=0)
    with pytest.raises(DamagedArchive):
        Unpacking(tmp_path / "new", LIMITS).unpack_gzip(io.BytesIO(spoil(content)))


def test_a_numeric_prefix_is_no_folder(tmp_path: Path) -> None:
    """Tarballs of the game that misuse the USTAR prefix unpack to where they belong."""
    archive = game_file("1.21.6", Fault.NUMERIC_PREFIX)
    unpacking = Unpacking(tmp_path / "new", LIMITS, header=GameHeader)
    files = unpacking.unpack_gzip(io.BytesIO(archive.content))
    assert "VintagestoryServer" in files
    assert (tmp_path / "new/VintagestoryServer").stat().st_mode & 0o111


def test_a_real_prefix_is_kept(tmp_path: Path) -> None:
    """A name too long for its own field still gets its folder from the prefix."""
    name = f"{'f' * 90}/{'n' * 90}"
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        archive.addfile(_member(name)[0], io.BytesIO(b"x"))
    unpacking = Unpacking(tmp_path / "new", LIMITS, header=GameHeader)
    assert set(unpacking.unpack_gzip(io.BytesIO(gzip.compress(buffer.getvalue())))) == {name}


def test_a_link_within_the_archive_becomes_a_copy(tmp_path: Path) -> None:
    """Where links are taken, a copy of the file lies in their place, and no link."""
    content = _tar(
        _member("lib/a.so.1", b"lib", mode=0o755),
        _member("lib/a.so", b"", type=tarfile.SYMTYPE, linkname="a.so.1"),
        _member("b", b"", type=tarfile.LNKTYPE, linkname="lib/a.so.1"),
    )
    unpacking = Unpacking(tmp_path / "new", LIMITS, copy_links=True)
    unpacking.unpack_gzip(io.BytesIO(gzip.compress(content)))
    for name in ("lib/a.so", "b"):
        assert (tmp_path / "new" / name).read_bytes() == b"lib"
        assert not (tmp_path / "new" / name).is_symlink()


@pytest.mark.parametrize("target", ["/etc/passwd", "../../x", "nothing", "lib", "/lib/a"])
def test_a_link_that_leads_nowhere_is_refused(target: str, tmp_path: Path) -> None:
    """A link is only taken when it names a file of the same archive that came before."""
    content = _tar(_member("lib/a"), _member("l", b"", type=tarfile.SYMTYPE, linkname=target))
    unpacking = Unpacking(tmp_path / "new", LIMITS, copy_links=True)
    with pytest.raises(UnsafeArchive):
        unpacking.unpack_gzip(io.BytesIO(gzip.compress(content)))
