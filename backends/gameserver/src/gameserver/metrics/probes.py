"""What the system reports processes and disks. Blocking: to be run in a thread."""

import contextlib
import os
import shutil
from dataclasses import dataclass
from pathlib import Path

import psutil


@dataclass(frozen=True)
class Usage:
    """CPU in percent of one core since the last look (None at the first), memory in bytes."""

    cpu_percent: float | None
    memory_bytes: float


class ProcessProbe:
    """Measures a process; another process id begins anew."""

    def __init__(self) -> None:
        self._process: psutil.Process | None = None
        self._fresh = True

    def look(self, pid: int | None) -> Usage | None:
        """Return what a process uses; None when there is none."""
        try:
            process = self._of(pid)
            if process is None:
                return None
            with process.oneshot():
                cpu = process.cpu_percent()
                memory = float(process.memory_info().rss)
        except psutil.Error:
            self._process = None
            return None
        fresh, self._fresh = self._fresh, False
        return Usage(None if fresh else cpu, memory)

    def _of(self, pid: int | None) -> psutil.Process | None:
        if pid is None:
            self._process = None
        elif self._process is None or self._process.pid != pid:
            self._process, self._fresh = psutil.Process(pid), True
        return self._process


@dataclass(frozen=True)
class DiskUsage:
    """Bytes free and used on a disk, and those of the worlds."""

    free: float
    used: float
    world: float


def look_at_disk(root: Path, saves: Path) -> DiskUsage:
    """Return how full the disk is, and how large the worlds are. Raises OSError."""
    usage = shutil.disk_usage(root)
    return DiskUsage(float(usage.free), float(usage.used), float(_size(saves)))


def _size(folder: Path) -> int:
    total = 0
    with contextlib.suppress(FileNotFoundError), os.scandir(folder) as entries:
        for entry in entries:
            with contextlib.suppress(FileNotFoundError):
                if entry.is_file(follow_symlinks=False):
                    total += entry.stat(follow_symlinks=False).st_size
    return total
