"""Bytes in a file: whole, private, and nothing left beside it."""

import os
import resource
import stat
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bedplate.documents import DocumentError, UnsuitableFile, WriteFailed, write_atomically
from bedplate.documents.atomic import remove_leftovers


def names(folder: Path) -> list[str]:
    """Return the names in a folder."""
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture
def full_disk(tmp_path: Path) -> Iterator[Path]:
    """Give a file system of 64 KB with a file of 40 KB on it; only root can make one."""
    place = tmp_path / "disk"
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(place)]
    if os.geteuid() or subprocess.run(command, check=False, capture_output=True).returncode:
        pytest.skip("no file system can be mounted here")
    (place / "state").write_bytes(b"o" * 40_000)
    yield place
    subprocess.run(["umount", str(place)], check=True)


def test_what_is_written_is_there_and_private(tmp_path: Path) -> None:
    """A file has the new content and mode 0600 whatever the umask and its mode before."""
    path = tmp_path / "state"
    path.write_bytes(b"old")
    path.chmod(0o644)
    write_atomically(path, b"new")
    assert (path.read_bytes(), stat.S_IMODE(path.stat().st_mode)) == (b"new", 0o600)
    write_atomically(path, b"shared", mode=0o644)
    assert stat.S_IMODE(path.stat().st_mode) == 0o644
    assert names(tmp_path) == ["state"]


def test_content_is_on_the_disk_before_its_name(
    tmp_path: Path, recorded_disk: list[tuple[str, ...]]
) -> None:
    """A power cut leaves the old file or the new one: content, rename, folder, in that order."""
    path = tmp_path / "state"
    write_atomically(path, b"new")
    (_, temporary), *rest = recorded_disk
    assert recorded_disk[0][0] == "sync"
    assert Path(temporary).parent == tmp_path
    assert rest == [("rename", temporary, str(path)), ("sync", str(tmp_path))]


def test_a_reader_never_sees_a_mixture(tmp_path: Path) -> None:
    """While two threads write all the time, whoever reads gets one of the contents, whole."""
    path, over = tmp_path / "state", threading.Event()
    contents = {letter * 100_000 for letter in (b"a", b"b")}
    write_atomically(path, b"a" * 100_000)

    def write(content: bytes) -> None:
        while not over.is_set():
            write_atomically(path, content)

    writers = [threading.Thread(target=write, args=(content,)) for content in contents]
    for writer in writers:
        writer.start()
    try:
        assert {path.read_bytes() for _ in range(300)} <= contents
    finally:
        over.set()
        for writer in writers:
            writer.join()
    assert names(tmp_path) == ["state"]


def test_what_a_killed_write_left_is_removed_and_nothing_else(tmp_path: Path) -> None:
    """The next write removes its own leftovers, and neither files beside it nor others."""
    token = "0123456789abcdef" * 2
    kept = [".other.json." + token + ".tmp", ".state.json.short.tmp", "state.json.tmp", ".env"]
    for name in (*kept, f".state.json.{token}.tmp"):
        (tmp_path / name).write_bytes(b"half")
    write_atomically(tmp_path / "state.json", b"whole")
    assert names(tmp_path) == sorted([*kept, "state.json"])


def test_a_write_under_way_is_no_leftover(tmp_path: Path) -> None:
    """The temporary file of one that is just writing is locked, and stays."""
    path = tmp_path / "state"
    token = "0" * 32
    descriptor = os.open(tmp_path / f".state.{token}.tmp", os.O_CREAT | os.O_RDWR)
    import fcntl  # noqa: PLC0415 - what atomic.py itself holds

    fcntl.flock(descriptor, fcntl.LOCK_EX)
    assert remove_leftovers(path) == []
    os.close(descriptor)
    assert remove_leftovers(path) == [tmp_path / f".state.{token}.tmp"]


@pytest.mark.parametrize("kind", ["link", "dangling link", "folder", "pipe"])
def test_only_ordinary_files_are_replaced(tmp_path: Path, kind: str) -> None:
    """A link, a folder or a pipe in the file's place is refused, and all stays as it was."""
    path, elsewhere = tmp_path / "state", tmp_path / "elsewhere"
    if "link" in kind:
        path.symlink_to(elsewhere)
    if kind == "link":
        elsewhere.write_bytes(b"precious")
    if kind == "folder":
        path.mkdir()
    if kind == "pipe":
        os.mkfifo(path)
    before = names(tmp_path)
    with pytest.raises(UnsuitableFile):
        write_atomically(path, b"new")
    assert names(tmp_path) == before
    assert kind != "link" or elsewhere.read_bytes() == b"precious"


def test_a_full_disk_is_said_and_loses_nothing(full_disk: Path) -> None:
    """Without room the write fails with that reason; the old content stays, and no leftover."""
    with pytest.raises(WriteFailed) as failed:
        write_atomically(full_disk / "state", b"n" * 40_000)
    assert failed.value.detail == "state: could not be written, the disk is full."
    assert (full_disk / "state").read_bytes() == b"o" * 40_000
    assert names(full_disk) == ["state"]


def test_a_limit_on_file_sizes_loses_nothing(tmp_path: Path) -> None:
    """A write that breaks off in the middle leaves the old content, and nothing beside it."""
    path = tmp_path / "state"
    write_atomically(path, b"old")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, hard))
    try:
        with pytest.raises(WriteFailed, match="larger than the file system takes"):
            write_atomically(path, b"n" * 20_000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert path.read_bytes() == b"old"
    assert names(tmp_path) == ["state"]


def test_a_missing_folder_is_said(tmp_path: Path) -> None:
    """The error names the file to a client, and its whole path to the operator."""
    path = tmp_path / "nowhere" / "state"
    with pytest.raises(WriteFailed) as failed:
        write_atomically(path, b"new")
    assert failed.value.detail == "state: could not be written, its folder does not exist."
    assert str(path) in str(failed.value)
    assert (failed.value.status, failed.value.headers["Retry-After"]) == (503, "30")


@given(name=st.text(min_size=1).filter(lambda name: not set(name) & {"/", "\0"}))
def test_any_name_is_written_or_refused(
    tmp_path_factory: pytest.TempPathFactory, name: str
) -> None:
    """Whatever a file is called, of any length and in any script, it is written or an error is."""
    folder = tmp_path_factory.mktemp("names")
    try:
        write_atomically(folder / name, b"content")
    except (DocumentError, UnicodeEncodeError):
        assert names(folder) == []
    else:
        assert [path.read_bytes() for path in folder.iterdir()] == [b"content"]


@pytest.mark.parametrize("length", [200, 201, 255])
def test_long_names_have_room_for_the_temporary_one(tmp_path: Path, length: int) -> None:
    """A name as long as file systems take it can be written, and its leftovers are found."""
    path = tmp_path / ("n" * length)
    write_atomically(path, b"content")
    assert path.read_bytes() == b"content"
