"""Unpacks tar archives from strangers: each member is checked before it is written.

Stricter than tarfile's `data` filter (PEP 706): the target is a new folder, no link is ever
created in it, and all output is counted and hashed.
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
from typing import IO, Any, Final, Self

import zstandard

from gameserver.archives.exceptions import DamagedArchive, OversizeArchive, UnsafeArchive
from gameserver.archives.names import safe_path

ProgressCallback = Callable[[int], None]
"""Receives the number of bytes processed since its last call; raising ends the work."""

CHUNK: Final = 1 << 20
_MAX_WINDOW_BYTES: Final = 1 << 27
_MAX_HEADER_BYTES: Final = 65_536
_PREFIX: Final = slice(345, 500)
_MAGIC: Final = slice(257, 265)
# tarfile reads what these carry into memory before anything else can look at it.
_EXTENDED: Final = frozenset(
    {
        tarfile.XHDTYPE,
        tarfile.XGLTYPE,
        tarfile.SOLARIS_XHDTYPE,
        tarfile.GNUTYPE_LONGNAME,
        tarfile.GNUTYPE_LONGLINK,
    }
)
_DAMAGE_ERRORS: Final = (
    tarfile.TarError,
    EOFError,
    zlib.error,
    gzip.BadGzipFile,
    zstandard.ZstdError,
    UnicodeError,
)


@dataclass(frozen=True, slots=True)
class Limits:
    """What an archive may unpack to: files and folders, bytes in total, bytes of a single file."""

    entries: int
    total_bytes: int
    member_bytes: int


@dataclass(frozen=True, slots=True)
class ArchivedFile:
    """One file: its path in the archive, size in bytes, and SHA-256 in hexadecimal."""

    name: str
    size: int
    sha256: str


class BoundedHeader(tarfile.TarInfo):
    """A member's header. Raises `UnsafeArchive` for extended headers above 64 KiB."""

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> Self:
        """Return the header that a block of 512 bytes holds."""
        header = super().frombuf(buf, encoding, errors)
        if not hasattr(tarfile.TarInfo, "_frombuf"):
            header.examine(buf, encoding, errors)
        return header

    @classmethod
    def _frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str, **options: Any) -> Self:
        # CPython's releases of 2026 read headers with this method, no longer with the one
        # above, and it goes to the older branches as a security fix.
        header: Self = super()._frombuf(buf, encoding, errors, **options)  # type: ignore[misc]
        header.examine(buf, encoding, errors)
        return header

    def examine(
        self,
        buf: bytes | bytearray,  # noqa: ARG002 - for subclasses
        encoding: str,  # noqa: ARG002
        errors: str,  # noqa: ARG002
    ) -> None:
        """Look at the header just read, and at its bytes, before anything else is read."""
        if self.type in _EXTENDED and self.size > _MAX_HEADER_BYTES:
            raise UnsafeArchive("A header in the archive is too large.")


class GameHeader(BoundedHeader):
    """A header of a game tarball, some of which misuse the USTAR field `prefix`.

    They store a time in octal digits there, as old GNU formats do (GNU tar manual, "Basic Tar
    Format": atime and ctime at 345), and a plain reader takes it for a folder.
    """

    def examine(self, buf: bytes | bytearray, encoding: str, errors: str) -> None:
        """Take such a prefix from the name."""
        super().examine(buf, encoding, errors)
        prefix = bytes(buf[_PREFIX]).split(b"\0", 1)[0].decode(encoding, errors)
        gnu = bytes(buf[_MAGIC]) == tarfile.GNU_MAGIC
        if prefix and (gnu or prefix.strip().isdigit()):
            self.name = self.name.removeprefix(prefix + "/")


@dataclass
class Unpacking:
    """Unpacks one tar stream into a new folder. Blocking: run it in a thread.

    target      must not exist; it is created
    header      the class that reads headers
    copy_links  turns a link to an earlier file into a copy of it; otherwise links are refused
    on_progress receives the bytes written, after each chunk
    """

    target: Path
    limits: Limits
    header: type[BoundedHeader] = BoundedHeader
    copy_links: bool = False
    on_progress: ProgressCallback = lambda _: None
    files: dict[str, ArchivedFile] = field(default_factory=dict, init=False)
    _entries: int = field(default=0, init=False)
    _bytes: int = field(default=0, init=False)

    def unpack_gzip(self, archive: IO[bytes]) -> dict[str, ArchivedFile]:
        """Unpack a .tar.gz and return its files by name. Raises `ArchiveError`, `OSError`."""
        with gzip.GzipFile(fileobj=archive, mode="rb") as stream:
            return self._unpack(stream)

    def unpack_zstandard(self, archive: IO[bytes]) -> dict[str, ArchivedFile]:
        """Unpack a .tar.zst and return its files by name. Raises `ArchiveError`, `OSError`."""
        decompressor = zstandard.ZstdDecompressor(max_window_size=_MAX_WINDOW_BYTES)
        with decompressor.stream_reader(archive, read_size=CHUNK, closefd=False) as stream:
            return self._unpack(stream)

    def _unpack(
        self, stream: gzip.GzipFile | zstandard.ZstdDecompressionReader
    ) -> dict[str, ArchivedFile]:
        self.target.mkdir(mode=0o755)
        try:
            with tarfile.open(
                fileobj=stream, mode="r|", bufsize=CHUNK, tarinfo=self.header
            ) as archive:
                for member in archive:
                    self._add(archive, member)
        except _DAMAGE_ERRORS:
            raise DamagedArchive from None
        return self.files

    def _add(self, archive: tarfile.TarFile, member: tarfile.TarInfo) -> None:
        self._entries += 1
        if self._entries > self.limits.entries:
            raise OversizeArchive(f"The archive holds more than {self.limits.entries} files.")
        name = safe_path(member.name)
        path = self.target / name
        if member.isdir():
            self._make_folder(path)
        elif member.issym() or member.islnk():
            self._copy_link(member, path, str(name))
        elif not member.isreg() or member.issparse() or path == self.target:
            raise UnsafeArchive("The archive holds something that is neither file nor folder.")
        else:
            self._count_bytes(member.size)
            self._make_folder(path.parent)
            content = archive.extractfile(member)
            assert content is not None  # noqa: S101 - a regular file has content
            self.files[str(name)] = self._write(content, path, member, str(name))

    def _make_folder(self, path: Path) -> None:
        try:
            path.mkdir(mode=0o755, parents=True, exist_ok=True)
        except (FileExistsError, NotADirectoryError):
            raise UnsafeArchive("The archive holds a file and a folder of one name.") from None

    def _count_bytes(self, size: int) -> None:
        if size > self.limits.member_bytes:
            raise OversizeArchive("A file in the archive is larger than allowed.")
        self._bytes += size
        if self._bytes > self.limits.total_bytes:
            raise OversizeArchive("The archive unpacks to more bytes than allowed.")

    def _write(
        self, content: IO[bytes], path: Path, member: tarfile.TarInfo, name: str
    ) -> ArchivedFile:
        digest, size = hashlib.sha256(), 0
        with _new_file(path, executable=bool(member.mode & 0o111)) as file:
            while chunk := content.read(CHUNK):
                digest.update(chunk)
                file.write(chunk)
                size += len(chunk)
                self.on_progress(len(chunk))
        if size != member.size:
            raise DamagedArchive
        return ArchivedFile(name, size, digest.hexdigest())

    def _copy_link(self, member: tarfile.TarInfo, path: Path, name: str) -> None:
        """Write a copy where the link would be: so no link can lead anywhere."""
        if not self.copy_links:
            raise UnsafeArchive("The archive holds a link.")
        # A hard link names a member (POSIX pax), a symbolic one a path from its own folder.
        base = "" if member.islnk() else f"{os.path.dirname(name)}/"  # noqa: PTH120 - not a file
        origin = os.path.normpath(f"{base}{member.linkname}").lstrip("/")
        original = self.files.get(origin)
        if original is None or member.linkname.startswith("/"):
            raise UnsafeArchive("The archive holds a link that leads out of it, or nowhere.")
        self._count_bytes(original.size)
        self._make_folder(path.parent)
        source = self.target / origin
        executable = bool(source.stat().st_mode & 0o111)
        with source.open("rb") as content, _new_file(path, executable=executable) as file:
            shutil.copyfileobj(content, file, CHUNK)
        self.files[name] = ArchivedFile(name, original.size, original.sha256)


def _new_file(path: Path, *, executable: bool) -> IO[bytes]:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        return os.fdopen(os.open(path, flags, 0o755 if executable else 0o644), "wb")
    except FileExistsError:
        raise UnsafeArchive("The archive holds two files of one name.") from None
