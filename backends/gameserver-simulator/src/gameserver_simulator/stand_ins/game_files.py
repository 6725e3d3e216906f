"""Archives of game versions: real tar.gz files whose program is the simulated game."""

import gzip
import hashlib
import io
import shlex
import struct
import sys
import tarfile
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum

MTIME = 1_735_725_600
EXECUTABLE = 0o755
BLOCK = 512
PREFIX_AT, PREFIX_LENGTH = 345, 155
CHECKSUM_AT, CHECKSUM_LENGTH = 148, 8
NUMERIC_PREFIX = b"14735725600"
BOMB = 64 * 1024 * 1024


class Fault(StrEnum):
    """A fault of a game version, or of its archive."""

    WRONG_MD5 = "wrong_md5"
    TRUNCATED = "truncated"
    NO_ARCHIVE = "no_archive"
    SLIP = "slip"
    ABSOLUTE = "absolute"
    SYMLINK = "symlink"
    HARDLINK = "hardlink"
    DEVICE = "device"
    NUMERIC_PREFIX = "numeric_prefix"
    NEVER_READY = "never_ready"
    CRASHES = "crashes"
    NO_RUNTIME = "no_runtime"
    STALE_ASSETS = "stale_assets"


ARGUMENTS = {
    Fault.NEVER_READY: ["--hang-at-start"],
    Fault.CRASHES: ["--crash-after", "0"],
    Fault.NO_RUNTIME: ["--missing-runtime"],
}
"""Arguments of the program of a faulty version."""

LAUNCHER = """\
#!/bin/sh
# The simulated game, as this version of it.
folder=$(dirname "$(readlink -f "$0")")
exec {python} -P -m gameserver_simulator --server-folder "$folder" {arguments}"$@"
"""

CONTROL = """\
#!/bin/sh
# The real one knows setup, start, stop, restart, status and command.
exec "$(dirname "$(readlink -f "$0")")/VintagestoryServer" "$@"
"""


@dataclass(frozen=True)
class GameFile:
    """An archive, and the MD5 in the feed."""

    content: bytes
    md5: str


@dataclass
class _Tar:
    """An archive that is being written."""

    buffer: io.BytesIO = field(default_factory=io.BytesIO)

    def __post_init__(self) -> None:
        self._archive = tarfile.open(fileobj=self.buffer, mode="w", format=tarfile.USTAR_FORMAT)  # noqa: SIM115 - closed by finish

    def add(self, name: str, content: bytes = b"", mode: int = 0o644) -> None:
        """Add a file."""
        info = tarfile.TarInfo(name)
        info.size, info.mode, info.mtime = len(content), mode, MTIME
        self._archive.addfile(info, io.BytesIO(content))

    def add_special(self, name: str, kind: bytes, target: str = "") -> None:
        """Add a link or a device."""
        info = tarfile.TarInfo(name)
        info.type, info.linkname = kind, target
        self._archive.addfile(info)

    def finish(self) -> bytes:
        """Return the archive's bytes."""
        self._archive.close()
        return self.buffer.getvalue()


def game_file(version: str, fault: Fault | None = None, padding: int = 0) -> GameFile:
    """Return the archive of a version, with `padding` incompressible bytes."""
    tar = _Tar()
    _add_game(tar, version, ARGUMENTS.get(fault, []) if fault else [], padding)
    if fault in ADDITIONS:
        ADDITIONS[fault](tar)
    content = tar.finish()
    if fault is Fault.NUMERIC_PREFIX:
        content = _with_numeric_prefix(content)
    content = gzip.compress(content, mtime=MTIME)
    if fault is Fault.TRUNCATED:
        content = content[: len(content) // 2]
    if fault is Fault.NO_ARCHIVE:
        content = b"<html>Not found</html>"
    hashed = b"something else" if fault is Fault.WRONG_MD5 else content
    return GameFile(content, hashlib.md5(hashed, usedforsecurity=False).hexdigest())


def _add_game(tar: _Tar, version: str, arguments: list[str], padding: int) -> None:
    words = "".join(f"{shlex.quote(word)} " for word in arguments)
    launcher = LAUNCHER.format(python=shlex.quote(sys.executable), arguments=words)
    tar.add("VintagestoryServer", launcher.encode(), EXECUTABLE)
    tar.add("server.sh", CONTROL.encode(), EXECUTABLE)
    tar.add(f"assets/version-{version}.txt", version.encode())
    tar.add("assets/game/lang/en.json", b"{}")
    for name in ("VSEssentials", "VSSurvivalMod", "VSCreativeMod"):
        tar.add(f"Mods/{name}.dll", b"MZ invented")
    if padding:
        tar.add("assets/padding.bin", hashlib.shake_128(version.encode()).digest(padding))


def _add_link(kind: bytes) -> Callable[[_Tar], None]:
    def add(tar: _Tar) -> None:
        tar.add_special("Lib", kind, "/etc")
        tar.add("Lib/evil.txt", b"evil")

    return add


ADDITIONS: dict[Fault | None, Callable[[_Tar], None]] = {
    Fault.SLIP: lambda tar: tar.add("../../evil.txt", b"evil"),
    Fault.ABSOLUTE: lambda tar: tar.add("/tmp/evil.txt", b"evil"),  # noqa: S108 - an attack
    Fault.SYMLINK: _add_link(tarfile.SYMTYPE),
    Fault.HARDLINK: _add_link(tarfile.LNKTYPE),
    Fault.DEVICE: lambda tar: tar.add_special("Lib", tarfile.CHRTYPE),
    Fault.STALE_ASSETS: lambda tar: tar.add("assets/version-1.0.0.txt", b"1.0.0"),
}


def _with_numeric_prefix(content: bytes) -> bytes:
    """Write GNU's time stamps where USTAR keeps a prefix, as some real archives do.

    Readers that follow POSIX then see every file inside a directory of digits.
    """
    changed = bytearray(content)
    place = 0
    while any(header := changed[place : place + BLOCK]):
        header[PREFIX_AT : PREFIX_AT + PREFIX_LENGTH] = NUMERIC_PREFIX.ljust(PREFIX_LENGTH, b"\0")
        header[CHECKSUM_AT : CHECKSUM_AT + CHECKSUM_LENGTH] = b" " * CHECKSUM_LENGTH
        total = sum(struct.unpack(f"{BLOCK}B", header))
        header[CHECKSUM_AT : CHECKSUM_AT + CHECKSUM_LENGTH] = b"%06o\0 " % total
        changed[place : place + BLOCK] = header
        size = int(bytes(header[124:135]), 8)
        place += BLOCK + -(-size // BLOCK) * BLOCK
    return bytes(changed)
