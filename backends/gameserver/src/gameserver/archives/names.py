"""One rule for the names that other people give to files: in archives, in mods, and in requests."""

import re
from pathlib import PurePosixPath
from typing import Final

from gameserver.archives.exceptions import UnsafeArchive

MAX_DEPTH: Final = 32
_MAX_PATH_LENGTH: Final = 1024
_MAX_NAME_BYTES: Final = 255
_FORBIDDEN: Final = re.compile(r"[\x00-\x1f\x7f/\\\ud800-\udfff]")


def is_plain_name(name: str) -> bool:
    """Return whether a text names one file or folder, and leads nowhere else.

    Refuses `.` and `..`, slashes and backslashes, control characters, lone surrogates, and names
    that file systems refuse as too long.
    """
    return (
        name not in {"", ".", ".."}
        and _FORBIDDEN.search(name) is None
        and len(name.encode()) <= _MAX_NAME_BYTES
    )


def is_safe_name(name: str, *, windows: bool = False) -> bool:
    """Return whether an archive's member stays below the folder that it is unpacked to.

    Each part must be a plain name; empty parts and `.` are ignored. A colon may not come in the
    first part, where it would name a drive. With `windows`, the rule also holds on Windows:
    backslashes separate parts, and a colon, which opens a stream there, may not come anywhere.
    """
    if windows:
        name = name.replace("\\", "/")
    parts = [part for part in name.split("/") if part not in {"", "."}]
    return (
        name != ""
        and not name.startswith("/")
        and ":" not in (name if windows else name.split("/", 1)[0])
        and len(name) <= _MAX_PATH_LENGTH
        and len(parts) <= MAX_DEPTH
        and all(is_plain_name(part) for part in parts)
    )


def safe_path(name: str) -> PurePosixPath:
    """Return a member's name as a relative path. Raises `UnsafeArchive` if it isn't safe."""
    if not is_safe_name(name):
        raise UnsafeArchive(
            "A file in the archive would lie outside of its folder, or its name is too long or "
            "has forbidden characters."
        )
    return PurePosixPath(name)
