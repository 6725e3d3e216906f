"""Packing: what is read comes out again, and no link is followed."""

import os
from pathlib import Path

import pytest

from gameserver.archives.packing import ArchiveWriter, SourceChanged
from gameserver.archives.unpacking import Limits, Unpacking

LIMITS = Limits(1000, 1 << 28, 1 << 28)


def test_what_is_packed_is_unpacked_alike(tmp_path: Path) -> None:
    """Names, contents and digests survive the way there and back."""
    source = tmp_path / "source"
    (source / "deep/er").mkdir(parents=True)
    (source / "deep/er/ünïcode.txt").write_text("content")
    (source / "large").write_bytes(os.urandom((8 << 20) + 5))
    with ArchiveWriter(tmp_path / "archive", on_progress=lambda _: None) as writer:
        writer.add_tree(source, "Mods")
        writer.add_file(tmp_path / "missing", "missing")
        writer.add_bytes(b"{}", "manifest.json")
    with (tmp_path / "archive").open("rb") as archive:
        files = Unpacking(tmp_path / "new", LIMITS).unpack_zstandard(archive)
    assert files == {file.name: file for file in writer.files}
    assert (tmp_path / "new/Mods/deep/er/ünïcode.txt").read_text() == "content"
    assert writer.skipped == []


def test_an_archive_is_on_the_disk_when_it_is_complete(
    tmp_path: Path, recorded_disk: list[tuple[str, ...]]
) -> None:
    """Whoever renames it then has all of it, also after a power cut; a failed one isn't synced."""
    path = tmp_path / "archive"
    with ArchiveWriter(path, on_progress=lambda _: None) as writer:
        writer.add_bytes(b"{}", "manifest.json")
        assert recorded_disk == []
    assert recorded_disk == [("sync", str(path))]
    with (
        pytest.raises(RuntimeError),
        ArchiveWriter(tmp_path / "failed", on_progress=lambda _: None),
    ):
        raise RuntimeError
    assert len(recorded_disk) == 1


def test_links_and_pipes_are_left_out_and_named(tmp_path: Path) -> None:
    """A link to a secret is not followed; neither is one to a folder; a pipe doesn't hang."""
    (tmp_path / "secret").write_text("secret")
    source = tmp_path / "source"
    source.mkdir()
    (source / "link").symlink_to(tmp_path / "secret")
    (source / "folder").symlink_to(tmp_path)
    os.mkfifo(source / "pipe")
    with ArchiveWriter(tmp_path / "archive", on_progress=lambda _: None) as writer:
        writer.add_tree(source, "Mods")
        writer.add_tree(source / "folder", "Other")
    assert writer.files == []
    assert set(writer.skipped) == {"Mods/link", "Mods/pipe", "Other"}


def test_names_that_could_not_be_unpacked_are_left_out_and_named(tmp_path: Path) -> None:
    """A file whose name unpacking refuses is skipped: it must not make a backup useless."""
    (tmp_path / "source").mkdir()
    for name in ("line\nbreak", "back\\slash", "fine:colon"):
        (tmp_path / "source" / name).write_text("x")
    with ArchiveWriter(tmp_path / "archive", on_progress=lambda _: None) as writer:
        writer.add_tree(tmp_path / "source", "ModData")
    assert [file.name for file in writer.files] == ["ModData/fine:colon"]
    assert set(writer.skipped) == {"ModData/line\nbreak", "ModData/back\\slash"}


def test_a_file_that_shrinks_is_an_error(tmp_path: Path) -> None:
    """A file that becomes shorter while it is read doesn't yield an archive that looks whole."""
    source = tmp_path / "source"
    source.write_bytes(bytes(20 << 20))

    def shrink(_: int) -> None:
        os.truncate(source, 5 << 20)

    with (
        pytest.raises(SourceChanged),
        ArchiveWriter(tmp_path / "archive", on_progress=shrink) as writer,
    ):
        writer.add_file(source, "world")
