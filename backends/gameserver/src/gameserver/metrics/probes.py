"""CPU, memory and disk use, as the system reports them. Everything here blocks."""

import contextlib
import os
import shutil
from dataclasses import dataclass
from pathlib import Path

import psutil


@dataclass(frozen=True)
class Usage:
    """CPU in percent of one core since the last measurement (None at first); memory in bytes."""

    cpu_percent: float | None
    memory_bytes: float


class ProcessProbe:
    """Measures one process after the other."""

    def __init__(self) -> None:
        self._process: psutil.Process | None = None

    def look(self, pid: int | None) -> Usage | None:
        """Return what a process uses; None when there is none."""
        process, self._process = self._process, None
        if pid is None:
            return None
        try:
            if is_new := process is None or process.pid != pid:
                process = psutil.Process(pid)
            with process.oneshot():
                cpu = process.cpu_percent()
                memory = float(process.memory_info().rss)
        except psutil.Error:
            return None
        self._process = process
        return Usage(None if is_new else cpu, memory)


@dataclass(frozen=True)
class DiskUsage:
    """Free and used bytes of a disk, and the bytes of the worlds."""

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
