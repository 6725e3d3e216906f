"""Every file and folder in Mods/, whoever put it there.

The suffix `.disabled` disables a mod. The game loads only .zip, .cs, .dll and folders, so it
ignores such a file; unlike WorldConfig.DisabledMods this survives a new serverconfig.json, holds
for every world, and is visible in the folder.
"""

import contextlib
import os
import stat
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Final

from gameserver.disk import READ_FLAGS, sha256_of
from gameserver.mods.archives import MAX_MOD_BYTES, read_modinfo
from gameserver.mods.exceptions import InvalidModFile
from gameserver.mods.modinfo import MAX_MODINFO_BYTES, ModInfo, UnreadableModInfo, storable

DISABLED: Final = ".disabled"
_MAX_FILES: Final = 2_000


class FileKind(StrEnum):
    """How the game would treat a file. A link is never followed."""

    ZIP = "zip"
    FOLDER = "folder"
    SOURCE = "source"
    LIBRARY = "library"
    LINK = "link"
    OTHER = "other"


_KINDS: Final = {".zip": FileKind.ZIP, ".cs": FileKind.SOURCE, ".dll": FileKind.LIBRARY}


@dataclass(frozen=True, slots=True)
class ModFile:
    """One file or folder in Mods/: `problem` says why the game wouldn't load it, else None.

    `sha256` is empty for everything but a zip.
    """

    name: str
    kind: FileKind
    enabled: bool
    size: int
    info: ModInfo | None = None
    sha256: str = ""
    problem: str | None = None


class ModsFolder:
    """Reads Mods/. It reads a file again only when the file has changed."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._known: dict[tuple[str, int, int, int], ModFile] = {}

    def files(self) -> list[ModFile]:
        """Return the files, by name. Blocking: it hashes files that it doesn't know yet."""
        known: dict[tuple[str, int, int, int], ModFile] = {}
        for entry in sorted(_entries(self.path), key=lambda entry: entry.name)[:_MAX_FILES]:
            try:
                status = entry.stat(follow_symlinks=False)
            except FileNotFoundError:
                continue  # removed this very moment
            key = (entry.name, status.st_ino, status.st_size, status.st_mtime_ns)
            known[key] = self._known.get(key) or _look(self.path / entry.name, status)
        self._known = known
        return list(known.values())


def _entries(path: Path) -> list[os.DirEntry[str]]:
    """Return what isn't hidden and has a name that is text; the game fails on other names."""
    with contextlib.suppress(FileNotFoundError), os.scandir(path) as entries:
        return [
            entry
            for entry in entries
            if not entry.name.startswith(".") and storable(entry.name) == entry.name
        ]
    return []


def _look(path: Path, status: os.stat_result) -> ModFile:
    name = path.name.removesuffix(DISABLED)
    file = ModFile(path.name, _kind(name, status.st_mode), path.name == name, status.st_size)
    try:
        if file.kind is FileKind.FOLDER:
            return _with_info(file, _folder_info(path / "modinfo.json"))
        if file.kind is not FileKind.ZIP:
            return file
        if file.size > MAX_MOD_BYTES:
            return replace(file, problem="It is larger than a mod may be.")
        file = replace(file, sha256=sha256_of(path))
        return _with_info(file, read_modinfo(path))
    except InvalidModFile as error:
        return replace(file, problem=error.detail)
    except (OSError, UnreadableModInfo):
        return replace(file, problem="It can't be read.")


def _with_info(file: ModFile, info: ModInfo | None) -> ModFile:
    return replace(file, info=info, problem=(info.refusal if info is not None else "") or None)


def _kind(name: str, mode: int) -> FileKind:
    if stat.S_ISLNK(mode):
        return FileKind.LINK
    if stat.S_ISDIR(mode):
        return FileKind.FOLDER
    if not stat.S_ISREG(mode):
        return FileKind.OTHER
    return _KINDS.get(Path(name).suffix.lower(), FileKind.OTHER)


def _folder_info(path: Path) -> ModInfo | None:
    try:
        descriptor = os.open(path, READ_FLAGS)
    except FileNotFoundError:
        return None
    with os.fdopen(descriptor, "rb") as file:
        return ModInfo.parse(file.read(MAX_MODINFO_BYTES + 1))
