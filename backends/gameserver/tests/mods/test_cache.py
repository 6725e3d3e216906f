"""The cache of what was fetched: bounded, and never the reason why something fails."""

import hashlib
import os
from pathlib import Path

from gameserver.mods.cache import FileCache


def test_the_longest_unused_content_is_dropped(tmp_path: Path) -> None:
    """Beyond the limit in bytes, content that was read lately stays."""
    cache = FileCache(tmp_path / "cache", max_bytes=10)
    cache.write("a", b"aaaa")
    cache.write("b", b"bbbb")
    for file in (tmp_path / "cache").iterdir():
        os.utime(file, (0, 0))
    assert cache.read("a") == b"aaaa"
    cache.write("c", b"cccc")
    assert cache.read("b") is None
    assert (cache.read("a"), cache.read("c")) == (b"aaaa", b"cccc")


def test_many_small_files_are_bounded_too(tmp_path: Path) -> None:
    """Files that are almost empty fill a disk as well: their number has a limit of its own."""
    cache = FileCache(tmp_path, max_files=2)
    for number, key in enumerate("abc"):
        cache.write(key, b"")
        os.utime(tmp_path / hashlib.sha256(key.encode()).hexdigest(), (number, number))
    assert len(list(tmp_path.iterdir())) == 2
    assert cache.read("c") == b""


def test_content_that_cannot_be_written_is_not_kept(tmp_path: Path) -> None:
    """A file that refuses the write, as on a full disk, costs the copy and nothing else."""
    (tmp_path / hashlib.sha256(b"a").hexdigest()).mkdir()
    cache = FileCache(tmp_path)
    cache.write("a", b"aaaa")
    assert cache.read("a") is None
