"""Names of an archive's members: only those that stay below the folder they are unpacked to."""

from pathlib import PurePosixPath
from typing import Final

from gameserver.archives.exceptions import UnsafeArchive

_MAX_NAME_LENGTH: Final = 1024
_MAX_PART_LENGTH: Final = 255
_MAX_PARTS: Final = 32
_FIRST_PRINTABLE: Final = 0x20
_DELETE: Final = 0x7F


def safe_name(name: str) -> PurePosixPath:
    """Return a member's name as a relative path.

    Raises `UnsafeArchive` for absolute names, `..`, back-slashes and drives of Windows, control
    characters, names that aren't UTF-8, and names longer than file systems take.
    """
    if not _printable(name) or "\\" in name or ":" in name.split("/", 1)[0]:
        raise UnsafeArchive("A file in the archive has a name with forbidden characters.")
    parts = [part for part in name.split("/") if part not in {"", "."}]
    if name.startswith("/") or ".." in parts:
        raise UnsafeArchive("A file in the archive would lie outside of its folder.")
    if len(name) > _MAX_NAME_LENGTH or len(parts) > _MAX_PARTS:
        raise UnsafeArchive("A file in the archive has too long a name.")
    if any(len(part.encode()) > _MAX_PART_LENGTH for part in parts):
        raise UnsafeArchive("A file in the archive has too long a name.")
    return PurePosixPath(*parts)


def _printable(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return all(ord(letter) >= _FIRST_PRINTABLE and ord(letter) != _DELETE for letter in name)
