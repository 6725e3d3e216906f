"""Headers of tar files, read with care."""

import tarfile
from typing import Final, Self

from gameserver.archives.exceptions import UnsafeArchive

# What these carry is read into memory before anything else can look at it.
_EXTENDED: Final = frozenset(
    {
        tarfile.XHDTYPE,
        tarfile.XGLTYPE,
        tarfile.SOLARIS_XHDTYPE,
        tarfile.GNUTYPE_LONGNAME,
        tarfile.GNUTYPE_LONGLINK,
    }
)
_MAX_EXTENDED_BYTES: Final = 65_536
_PREFIX: Final = slice(345, 500)
_MAGIC: Final = slice(257, 265)


class BoundedHeader(tarfile.TarInfo):
    """A member's header. Raises `UnsafeArchive` for extended headers above 64 KiB."""

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> Self:
        """Return the header that a block of 512 bytes holds."""
        header = super().frombuf(buf, encoding, errors)
        if header.type in _EXTENDED and header.size > _MAX_EXTENDED_BYTES:
            raise UnsafeArchive("A header in the archive is too large.")
        return header


class GameHeader(BoundedHeader):
    """A header of a game tarball, some of which misuse the USTAR field `prefix`.

    There it holds a time in octal digits, as old GNU formats do (GNU tar manual, "Basic Tar
    Format": atime and ctime at 345), and a plain reader takes it for a folder.
    """

    @classmethod
    def frombuf(cls, buf: bytes | bytearray, encoding: str, errors: str) -> Self:
        """Return the header, without a prefix that is none."""
        header = super().frombuf(buf, encoding, errors)
        prefix = bytes(buf[_PREFIX]).split(b"\0", 1)[0].decode(encoding, errors)
        gnu = bytes(buf[_MAGIC]) == tarfile.GNU_MAGIC
        if prefix and (gnu or prefix.strip().isdigit()):
            header.name = header.name.removeprefix(prefix + "/")
        return header
