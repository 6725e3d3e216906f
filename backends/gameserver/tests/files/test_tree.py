"""Files below a folder: whatever path is named, nothing outside of it is touched."""

import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bedplate.problems import ProblemError
from gameserver.files.exceptions import FileTooLarge, InvalidPath, NotAFile
from gameserver.files.tree import MAX_FILE_BYTES, FileTree, is_name, names_of

HOSTILE_PATHS = (
    "..", "../x", "a/../../x", "/etc/passwd", "//etc/passwd", "a//b", "a/", "./a", "a/./b", "\0",
    "a\0b", "a\nb", "a\x7f", "C:\\x", "..\\x", "\u2028", "\ud800", "x" * 300, "a/" * 40 + "a",
    "y" * 1_001, "\u202egnp.exe",
)  # fmt: skip
PARTS = st.sampled_from(["..", ".", "", "a", "link", "outside", "file", "\0", "\\", "Saves"])


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Give a folder with every trap in it, beside one that must stay as it is."""
    root, outside = tmp_path / "root", tmp_path / "outside"
    (root / "a").mkdir(parents=True)
    outside.mkdir()
    (outside / "secret").write_text("secret")
    (outside / "linked").write_text("secret")  # with one name: a hard link is refused as it is
    (root / "file").write_text("text")
    (root / "link").symlink_to(outside)
    (root / "linked-file").symlink_to(outside / "linked")
    (root / "hard").hardlink_to(outside / "secret")
    os.mkfifo(root / "pipe")
    return root


@pytest.fixture
def untouched(tmp_path: Path) -> Callable[[], bool]:
    """Give what says whether everything outside of the root is as it was."""
    outside = tmp_path / "outside"

    def untouched() -> bool:
        return {path.name: path.read_text() for path in outside.iterdir()} == {
            "secret": "secret",
            "linked": "secret",
        } and sorted(path.name for path in tmp_path.iterdir()) == ["outside", "root"]

    return untouched


@pytest.mark.parametrize("path", HOSTILE_PATHS)
def test_a_path_that_leads_elsewhere_is_refused(path: str) -> None:
    """What is absolute, leads upwards or has odd characters is refused before any file is met."""
    with pytest.raises(InvalidPath):
        names_of(path)


@settings(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(PARTS, max_size=5).map("/".join) | st.text(max_size=40))
def test_no_path_leads_out(root: Path, untouched: Callable[[], bool], path: str) -> None:
    """Whatever is read, written or deleted by whatever path, nothing outside is touched."""
    tree = FileTree(root)
    for act in (
        lambda: tree.read(names_of(path)),
        lambda: tree.write(names_of(path), b"new"),
        lambda: tree.delete(names_of(path)),
        lambda: tree.entries(names_of(path)),
    ):
        try:
            assert act() != b"secret"
        except ProblemError:
            continue
    assert untouched()


@pytest.mark.parametrize("name", ["linked-file", "hard", "pipe", "a", "link"])
def test_what_is_no_ordinary_file_is_left_alone(
    root: Path, untouched: Callable[[], bool], name: str
) -> None:
    """Links, hard links, pipes and folders are neither read, written nor deleted."""
    tree = FileTree(root)
    before = sorted(path.name for path in root.iterdir())
    for act in (tree.read, tree.delete, lambda names: tree.write(names, b"x")):
        with pytest.raises(NotAFile):
            act((name,))
    with pytest.raises(NotAFile):
        tree.read(("link", "linked"))
    with pytest.raises(NotAFile):
        tree.write(("link", "new"), b"x")
    assert sorted(path.name for path in root.iterdir()) == before
    assert untouched()


def test_a_socket_is_no_file(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A socket is refused, not waited for."""
    monkeypatch.chdir(root)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("socket")
        with pytest.raises(NotAFile):
            FileTree(root).read(("socket",))


def test_a_write_is_whole_and_keeps_permissions(root: Path) -> None:
    """Bytes come back as they were written, with the same permissions and nothing left beside."""
    (root / "file").chmod(0o640)
    content = bytes(range(256))
    tree = FileTree(root)
    tree.write(("file",), content)
    assert tree.read(("file",)) == content
    assert (root / "file").stat().st_mode & 0o777 == 0o640
    assert not list(root.glob(".*"))


def test_what_is_written_or_deleted_is_on_the_disk(
    root: Path, recorded_disk: list[tuple[str, ...]]
) -> None:
    """A power cut leaves the old file or the new one, and nothing comes back that was deleted."""
    tree, path = FileTree(root), str(root / "file")
    tree.write(("file",), b"new")
    (_, temporary), *rest = recorded_disk
    assert recorded_disk[0] == ("sync", temporary)
    assert Path(temporary).parent == root
    assert rest == [("rename", temporary, path), ("sync", str(root))]
    tree.delete(("file",))
    assert recorded_disk[3:] == [("remove", path), ("sync", str(root))]


def test_sizes_are_bounded(root: Path) -> None:
    """Larger files are neither read nor written."""
    tree, content = FileTree(root), bytes(MAX_FILE_BYTES + 1)
    with pytest.raises(FileTooLarge):
        tree.write(("new",), content)
    (root / "file").write_bytes(content)
    with pytest.raises(FileTooLarge):
        tree.read(("file",))


def test_links_are_listed_as_links(root: Path) -> None:
    """A folder's list names what is there, and follows nothing."""
    kinds = {entry.name: entry.kind for entry in FileTree(root).entries(())}
    assert kinds == {
        "a": "folder", "file": "file", "link": "link", "linked-file": "link", "hard": "file",
        "pipe": "other",
    }  # fmt: skip


@given(st.text())
def test_a_name_never_leads_elsewhere(name: str) -> None:
    """What passes as a name is one component of a path."""
    if is_name(name):
        assert Path("folder", name).parent == Path("folder")
        assert os.path.normpath(f"/folder/{name}") == f"/folder/{name}"
