"""Unpacking: every member is checked before it is written, and nothing is written elsewhere.

Stricter than tarfile's `data` filter (PEP 706): the target is a new folder, no link is ever made
in it, and what comes out is counted and hashed on the way.
"""

import gzip
import hashlib
import os
import shutil
import tarfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Final

import zstandard

from gameserver.archives.exceptions import DamagedArchive, OversizeArchive, UnsafeArchive
from gameserver.archives.headers import BoundedHeader
from gameserver.archives.names import safe_path

CHUNK: Final = 1 << 20
_MAX_WINDOW_BYTES: Final = 1 << 27
_DAMAGES: Final = (
    tarfile.TarError,
    EOFError,
    zlib.error,
    gzip.BadGzipFile,
    zstandard.ZstdError,
    UnicodeError,
)


@dataclass(frozen=True, slots=True)
class Limits:
    """What an archive may unpack to: files and folders, bytes of all, bytes of one."""

    entries: int
    total_bytes: int
    member_bytes: int


@dataclass(frozen=True, slots=True)
class UnpackedFile:
    """One file that was unpacked: its relative name, size in bytes, SHA-256 in hexadecimal."""

    name: str
    size: int
    sha256: str


def _nothing(_: int) -> None:
    return


@dataclass
class Unpacking:
    """The unpacking of one tar stream into a new folder. Blocking: run it in a thread.

    target      must not exist; it is made
    header      how headers are read
    copy_links  makes a link to a file that came before a copy of it; without it links are refused
    written     is told of the bytes written, after each chunk
    """

    target: Path
    limits: Limits
    header: type[BoundedHeader] = BoundedHeader
    copy_links: bool = False
    written: Callable[[int], None] = _nothing
    files: dict[str, UnpackedFile] = field(default_factory=dict, init=False)
    _entries: int = field(default=0, init=False)
    _bytes: int = field(default=0, init=False)

    def unpack_gzip(self, archive: IO[bytes]) -> dict[str, UnpackedFile]:
        """Unpack a .tar.gz, and return its files by name. Raises `ArchiveError`, `OSError`."""
        with gzip.GzipFile(fileobj=archive, mode="rb") as stream:
            return self._unpack(stream)

    def unpack_zstandard(self, archive: IO[bytes]) -> dict[str, UnpackedFile]:
        """Unpack a .tar.zst, and return its files by name. Raises `ArchiveError`, `OSError`."""
        decompressor = zstandard.ZstdDecompressor(max_window_size=_MAX_WINDOW_BYTES)
        with decompressor.stream_reader(archive, read_size=CHUNK, closefd=False) as stream:
            return self._unpack(stream)

    def _unpack(
        self, stream: gzip.GzipFile | zstandard.ZstdDecompressionReader
    ) -> dict[str, UnpackedFile]:
        self.target.mkdir(mode=0o755)
        try:
            with tarfile.open(
                fileobj=stream, mode="r|", bufsize=CHUNK, tarinfo=self.header
            ) as archive:
                for member in archive:
                    self._take(archive, member)
        except _DAMAGES:
            raise DamagedArchive from None
        return self.files

    def _take(self, archive: tarfile.TarFile, member: tarfile.TarInfo) -> None:
        self._entries += 1
        if self._entries > self.limits.entries:
            raise OversizeArchive(f"The archive holds more than {self.limits.entries} files.")
        name = safe_path(member.name)
        place = self.target / name
        if member.isdir():
            self._make_folder(place)
        elif member.issym() or member.islnk():
            self._copy_link(member, str(name))
        elif not member.isreg() or member.issparse() or place == self.target:
            raise UnsafeArchive("The archive holds something that is neither file nor folder.")
        else:
            self._make_room(member.size)
            self._make_folder(place.parent)
            content = archive.extractfile(member)
            assert content is not None  # noqa: S101 - a regular file has content
            self.files[str(name)] = self._write(content, place, member, str(name))

    def _make_folder(self, place: Path) -> None:
        try:
            place.mkdir(mode=0o755, parents=True, exist_ok=True)
        except (FileExistsError, NotADirectoryError):
            raise UnsafeArchive("The archive holds a file and a folder of one name.") from None

    def _make_room(self, size: int) -> None:
        if size > self.limits.member_bytes:
            raise OversizeArchive("A file in the archive is larger than allowed.")
        self._bytes += size
        if self._bytes > self.limits.total_bytes:
            raise OversizeArchive("The archive unpacks to more bytes than allowed.")

    def _write(
        self, content: IO[bytes], place: Path, member: tarfile.TarInfo, name: str
    ) -> UnpackedFile:
        digest, size = hashlib.sha256(), 0
        with _new_file(place, executable=bool(member.mode & 0o111)) as file:
            while chunk := content.read(CHUNK):
                digest.update(chunk)
                file.write(chunk)
                size += len(chunk)
                self.written(len(chunk))
        if size != member.size:
            raise DamagedArchive
        return UnpackedFile(name, size, digest.hexdigest())

    def _copy_link(self, member: tarfile.TarInfo, name: str) -> None:
        """Put a copy where a link within the archive would lie: no link can lead anywhere."""
        if not self.copy_links:
            raise UnsafeArchive("The archive holds a link.")
        # A hard link names a member (POSIX pax), a symbolic one a path from its own folder.
        base = "" if member.islnk() else f"{os.path.dirname(name)}/"  # noqa: PTH120 - not a file
        origin = os.path.normpath(f"{base}{member.linkname}").lstrip("/")
        original = self.files.get(origin)
        if original is None or member.linkname.startswith("/"):
            raise UnsafeArchive("The archive holds a link that leads out of it, or nowhere.")
        self._make_room(original.size)
        place = self.target / safe_path(member.name)
        self._make_folder(place.parent)
        source = self.target / origin
        executable = bool(source.stat().st_mode & 0o111)
        with source.open("rb") as content, _new_file(place, executable=executable) as file:
            shutil.copyfileobj(content, file, CHUNK)
        self.files[name] = UnpackedFile(name, original.size, original.sha256)


def _new_file(place: Path, *, executable: bool) -> IO[bytes]:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        return os.fdopen(os.open(place, flags, 0o755 if executable else 0o644), "wb")
    except FileExistsError:
        raise UnsafeArchive("The archive holds two files of one name.") from None
