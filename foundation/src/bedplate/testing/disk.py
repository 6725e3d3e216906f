"""Records the calls that make files durable: no test can pull the plug, but their order shows."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final
from unittest import mock

_RENAMES: Final = ("rename", "replace")


@contextmanager
def recorded_disk() -> Iterator[list[tuple[str, ...]]]:
    """Yield the list of the process's calls that change or sync entries of folders, in order.

    Each is `("sync", path)`, `("rename", from, to)` or `("remove", path)`, with absolute paths. The
    calls are carried out. Works on Linux, where a descriptor's path can be read.
    """
    calls: list[tuple[str, ...]] = []

    def fsync(original: Callable[..., Any]) -> Callable[..., Any]:
        def recording(file: Any) -> None:
            descriptor = file if isinstance(file, int) else file.fileno()
            calls.append(("sync", _path_of(descriptor)))
            original(file)

        return recording

    def rename(original: Callable[..., Any]) -> Callable[..., Any]:
        def recording(
            source: Any,
            target: Any,
            *,
            src_dir_fd: int | None = None,
            dst_dir_fd: int | None = None,
        ) -> None:
            call = ("rename", _absolute(source, src_dir_fd), _absolute(target, dst_dir_fd))
            original(source, target, src_dir_fd=src_dir_fd, dst_dir_fd=dst_dir_fd)
            calls.append(call)

        return recording

    def unlink(original: Callable[..., Any]) -> Callable[..., Any]:
        def recording(path: Any, *, dir_fd: int | None = None) -> None:
            call = ("remove", _absolute(path, dir_fd))
            original(path, dir_fd=dir_fd)
            calls.append(call)

        return recording

    changed: dict[str, Any] = {
        "fsync": fsync(os.fsync),
        "unlink": unlink(os.unlink),
        **{name: rename(getattr(os, name)) for name in _RENAMES},
    }
    with mock.patch.multiple(os, **changed):
        yield calls


def _path_of(descriptor: int) -> str:
    return str(Path(f"/proc/self/fd/{descriptor}").readlink())


def _absolute(path: Any, folder: int | None) -> str:
    base = Path.cwd() if folder is None else Path(_path_of(folder))
    return os.path.normpath(base / os.fsdecode(path))
