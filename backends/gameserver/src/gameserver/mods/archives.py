"""Mods as zip files: inspected, never unpacked. A bad one is refused before it is used.

The game unpacks mods into its cache, so a zip that would write outside of it, or fill the disk, is
refused here (reference/game-server-managers.md, pitfalls 3 and 4).
"""

import contextlib
import stat
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

from gameserver.archives.names import is_safe_name
from gameserver.mods.exceptions import InvalidModFile
from gameserver.mods.modinfo import MAX_MODINFO_BYTES, ModInfo, UnreadableModInfo

MAX_MOD_BYTES: Final = 40 * 1024 * 1024
"""Bytes; the mod database takes no larger file."""


@dataclass(frozen=True)
class ZipBounds:
    """How much a mod may hold, in entries and bytes; `ratio` is unpacked by packed size."""

    packed: int = MAX_MOD_BYTES
    entries: int = 20_000
    directory: int = 4 * 1024 * 1024
    total: int = 512 * 1024 * 1024
    single: int = 128 * 1024 * 1024
    ratio: int = 200
    ratio_matters_from: int = 8 * 1024 * 1024


BOUNDS: Final = ZipBounds()
_END: Final = b"PK\x05\x06"
_END_SIZE: Final = 22
_ZIP64_LOCATOR: Final = b"PK\x06\x07"
_LOCATOR_SIZE: Final = 20
_MAX_COMMENT_LENGTH: Final = 65_535
_METHODS: Final = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})
_ENCRYPTED: Final = 0x1
_CHUNK: Final = 256 * 1024
_INVALID_FIELDS: Final = (ValueError, RuntimeError, OverflowError)  # as `zipfile` raises them
_DAMAGED: Final = (zipfile.BadZipFile, zlib.error, EOFError, OSError, *_INVALID_FIELDS)


def read_modinfo(path: Path) -> ModInfo:
    """Return a zip's modinfo without checking the rest. Blocking. Raises `InvalidModFile`."""
    with _opened(path, BOUNDS) as archive:
        return _modinfo(archive)


def check_mod(path: Path, bounds: ZipBounds = BOUNDS) -> ModInfo:
    """Return a zip's modinfo once all of the zip was checked. Blocking: seconds.

    Every name, type and size is checked first; then every entry is decompressed and discarded,
    which proves its checksum and its true size. Raises `InvalidModFile`.
    """
    with _opened(path, bounds) as archive:
        _check_entries(archive, path.stat().st_size, bounds)
        info = _modinfo(archive)
        for entry in archive.infolist():
            with archive.open(entry) as file:  # stops at the declared size, checks the CRC
                while file.read(_CHUNK):
                    pass
        return info


@contextlib.contextmanager
def _opened(path: Path, bounds: ZipBounds) -> Iterator[zipfile.ZipFile]:
    """Open a zip whose directory is bounded; damage raises `InvalidModFile`."""
    try:
        with path.open("rb") as file:
            _check_directory(file, path.stat().st_size, bounds)
            with zipfile.ZipFile(file) as archive:
                yield archive
    except _DAMAGED:
        raise InvalidModFile("It is not a zip file, or it is damaged.") from None


def _check_directory(file: IO[bytes], size: int, bounds: ZipBounds) -> None:
    """Refuse a directory that would fill the memory, since `zipfile` reads all of it at once."""
    if size > bounds.packed:
        raise InvalidModFile(f"It has more than {bounds.packed} bytes.")
    file.seek(max(0, size - _END_SIZE - _MAX_COMMENT_LENGTH - _LOCATOR_SIZE))
    tail = file.read()
    end = len(tail) - _END_SIZE
    if end < 0 or tail[end : end + 4] != _END or tail[-2:] != b"\0\0":
        end = tail.rfind(_END)
    if end < 0 or len(tail) - end < _END_SIZE:
        raise InvalidModFile("It is not a zip file, or it is incomplete.")
    if tail[max(0, end - _LOCATOR_SIZE) : end].startswith(_ZIP64_LOCATOR):
        raise InvalidModFile("It is a Zip64 file, which no mod needs.")
    if int.from_bytes(tail[end + 12 : end + 16], "little") > bounds.directory:
        raise InvalidModFile("It has too many entries.")


def _check_entries(archive: zipfile.ZipFile, size: int, bounds: ZipBounds) -> None:
    entries = archive.infolist()
    if len(entries) > bounds.entries:
        raise InvalidModFile(f"It has more than {bounds.entries} entries.")
    for entry in entries:
        _check_entry(entry, bounds)
    total = sum(entry.file_size for entry in entries)
    if total > bounds.total:
        raise InvalidModFile(f"Unpacked it has more than {bounds.total} bytes.")
    if total > max(bounds.ratio_matters_from, size * bounds.ratio):
        raise InvalidModFile(f"Unpacked it is more than {bounds.ratio} times as large.")


def _check_entry(entry: zipfile.ZipInfo, bounds: ZipBounds) -> None:
    if not is_safe_name(entry.orig_filename, windows=True):
        raise InvalidModFile("An entry's name leads out of the mod's folder.")
    kind = stat.S_IFMT(entry.external_attr >> 16)
    if kind not in {0, stat.S_IFREG, stat.S_IFDIR}:
        raise InvalidModFile("An entry is a link or a device.")
    if entry.flag_bits & _ENCRYPTED:
        raise InvalidModFile("An entry is encrypted.")
    if entry.compress_type not in _METHODS:
        raise InvalidModFile("An entry is packed in a way that the game can't read.")
    if entry.file_size > bounds.single:
        raise InvalidModFile(f"An entry has more than {bounds.single} bytes.")


def _modinfo(archive: zipfile.ZipFile) -> ModInfo:
    entries = [item for item in archive.infolist() if item.filename.casefold() == "modinfo.json"]
    if len(entries) != 1:
        raise InvalidModFile("A mod has exactly one modinfo.json at the root of its zip file.")
    if entries[0].file_size > MAX_MODINFO_BYTES:
        raise InvalidModFile(f"Its modinfo.json has more than {MAX_MODINFO_BYTES} bytes.")
    with archive.open(entries[0]) as file:
        content = file.read(MAX_MODINFO_BYTES + 1)
    try:
        return ModInfo.parse(content)
    except UnreadableModInfo as error:
        raise InvalidModFile(f"Its modinfo.json can't be used: {error}") from None
