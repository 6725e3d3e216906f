"""A backup's archive: packed from the game's data, and unpacked into a staged copy of it."""

import contextlib
import os
from collections.abc import Callable, Iterable
from datetime import datetime
from pathlib import Path
from typing import Final

from pydantic import BaseModel, ValidationError

from gameserver.archives.exceptions import ArchiveError, DamagedArchive, UnsafeArchive
from gameserver.archives.reading import Limits, UnpackedFile, Unpacking
from gameserver.archives.writing import ArchiveWriter, sizes_below
from gameserver.backups.schemas import BackupKind, Manifest, Member, PartSize
from gameserver.backups.worlds import check_world, is_world_name

MANIFEST: Final = "manifest.json"
SAVES: Final = "Saves"
FOLDERS: Final = ("Playerdata", "ModConfig", "ModData", "Mods")
FILES: Final = ("serverconfig.json", "servermagicnumbers.json")
MAX_FILES: Final = 200_000
_MAX_MANIFEST_BYTES: Final = 64 << 20

Told = Callable[[int], None]
"""Is told of the bytes that were dealt with, after each portion."""


class Source(BaseModel):
    """What a backup is made of: a finished copy of the world, and the game's data folder."""

    world_copy: Path
    server_data: Path
    kind: BackupKind
    created_at: datetime
    game_version: str | None
    world: str

    def pack(self, archive: Path, told: Told) -> Manifest:
        """Write the archive, and return its manifest. Blocking. Raises `OSError`."""
        with ArchiveWriter(archive, read=told) as writer:
            writer.add_file(self.world_copy, f"{SAVES}/{self.world}")
            for folder in FOLDERS:
                writer.add_tree(self.server_data / folder, folder)
            for file in FILES:
                writer.add_file(self.server_data / file, file)
            manifest = self._manifest(writer)
            writer.add_bytes(manifest.model_dump_json(indent=1).encode(), MANIFEST)
        return manifest

    def _manifest(self, writer: ArchiveWriter) -> Manifest:
        return Manifest(
            kind=self.kind,
            created_at=self.created_at,
            game_version=self.game_version,
            world=self.world,
            members=[
                Member(name=one.name, size=one.size, sha256=one.sha256) for one in writer.files
            ],
            skipped=writer.skipped,
        )


def size_beside_world(server_data: Path) -> int:
    """Return the bytes of everything that is backed up beside the world. Blocking."""
    size = 0
    for folder in FOLDERS:
        if not (server_data / folder).is_symlink():
            size += sum(sizes_below(server_data / folder))
    for file in FILES:
        with contextlib.suppress(OSError):
            size += os.lstat(server_data / file).st_size
    return size


def unpack(archive: Path, target: Path, most_bytes: int, told: Told) -> Manifest:
    """Unpack an archive into a new folder and check all of it; return its manifest.

    Afterwards the folder holds exactly what the manifest lists, every file with the size and
    SHA-256 that it names, and a world that passes SQLite's check. Blocking. Raises `ArchiveError`.
    """
    limits = Limits(MAX_FILES, most_bytes, most_bytes)
    with archive.open("rb") as file:
        files = Unpacking(target, limits, written=told).unpack_zstandard(file)
    listed = files.pop(MANIFEST, None)
    if listed is None or listed.size > _MAX_MANIFEST_BYTES:
        raise DamagedArchive("The archive has no manifest: it is no backup, or was cut.")
    manifest = _read_manifest(target / MANIFEST)
    _compare(manifest, files)
    check_world(target / SAVES / manifest.world)
    return manifest


def _read_manifest(path: Path) -> Manifest:
    try:
        manifest = Manifest.model_validate_json(path.read_bytes())
    except ValidationError:
        raise ArchiveError("The archive's manifest is not of a form this manager knows.") from None
    path.unlink()
    return manifest


def _compare(manifest: Manifest, files: dict[str, UnpackedFile]) -> None:
    if not is_world_name(manifest.world):
        raise UnsafeArchive("The archive's world has a name that no world has.")
    world = f"{SAVES}/{manifest.world}"
    listed = {one.name: UnpackedFile(one.name, one.size, one.sha256) for one in manifest.members}
    if listed != files or world not in files:
        raise DamagedArchive("The archive doesn't hold what its manifest lists.")
    if not all(name == world or _is_part(name) for name in files):
        raise UnsafeArchive("The archive holds files that are no part of a backup.")


def _is_part(name: str) -> bool:
    folder, slash, _ = name.partition("/")
    return folder in FOLDERS if slash else name in FILES


def contents_of(members: Iterable[Member]) -> dict[str, PartSize]:
    """Return files and bytes by part: the first folder of a name, or the file itself."""
    found: dict[str, PartSize] = {}
    for member in members:
        part = found.setdefault(member.name.split("/", 1)[0], PartSize())
        part.files += 1
        part.bytes += member.size
    return found
