"""The heavy steps of backups and restores, each a message that a worker process can run."""

import contextlib
import os
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Final, Literal

from pydantic import BaseModel, ValidationError

from gameserver.archives.exceptions import ArchiveError, DamagedArchive, UnsafeArchive
from gameserver.archives.packing import ArchiveWriter, sizes_below
from gameserver.archives.unpacking import ArchivedFile, Limits, ProgressCallback, Unpacking
from gameserver.backups.schemas import BackupKind, Manifest, PartSize
from gameserver.backups.worlds import check_world, copy_stopped_world
from gameserver.disk import sha256_of
from gameserver.locations import is_world_name

MANIFEST: Final = "manifest.json"
SAVES: Final = "Saves"
FOLDERS: Final = ("Playerdata", "ModConfig", "ModData", "Mods")
FILES: Final = ("serverconfig.json", "servermagicnumbers.json")
_MAX_FILES: Final = 200_000
MAX_MANIFEST_BYTES: Final = 64 << 20


class Outcome(BaseModel):
    """The result of a job: the manifest and SHA-256 of its archive, if it has one."""

    manifest: Manifest | None = None
    sha256: str = ""

    @property
    def archive_manifest(self) -> Manifest:
        """The manifest of the archive that was packed or unpacked."""
        if self.manifest is None:
            raise TypeError("This job has no archive.")
        return self.manifest


class CopyWorld(BaseModel):
    """Copies the world of a stopped game into the new file `target`, and checks the copy."""

    job: Literal["copy_world"] = "copy_world"
    world: Path
    target: Path

    def run(self, on_progress: ProgressCallback) -> Outcome:
        """Run the job. Blocking. Raises `DamagedWorld`, `OSError`."""
        copy_stopped_world(self.world, self.target, on_progress)
        check_world(self.target)
        return Outcome()


class CheckWorld(BaseModel):
    """Checks a copy of a world."""

    job: Literal["check_world"] = "check_world"
    world_copy: Path

    def run(self, _: ProgressCallback) -> Outcome:
        """Run the job. Blocking. Raises `DamagedWorld`."""
        check_world(self.world_copy)
        return Outcome()


class Pack(BaseModel):
    """Packs a finished copy of the world and the game's data folder into the new file `archive`."""

    job: Literal["pack"] = "pack"
    archive: Path
    world_copy: Path
    server_data: Path
    kind: BackupKind
    created_at: datetime
    game_version: str | None
    world: str
    world_only: bool = False

    def run(self, on_progress: ProgressCallback) -> Outcome:
        """Run the job. Blocking. Raises `OSError`."""
        with ArchiveWriter(self.archive, on_progress=on_progress) as writer:
            writer.add_file(self.world_copy, f"{SAVES}/{self.world}")
            for folder in () if self.world_only else FOLDERS:
                writer.add_tree(self.server_data / folder, folder)
            for file in () if self.world_only else FILES:
                writer.add_file(self.server_data / file, file)
            manifest = Manifest(
                kind=self.kind,
                created_at=self.created_at,
                game_version=self.game_version,
                world=self.world,
                members=writer.files,
                skipped=writer.skipped,
                world_only=self.world_only,
            )
            writer.add_bytes(manifest.model_dump_json(indent=1).encode(), MANIFEST)
        return Outcome(manifest=manifest, sha256=sha256_of(self.archive))


class Unpack(BaseModel):
    """Unpacks an archive into the new folder `target`, and checks everything in it.

    Afterwards the folder holds exactly the files that the manifest lists, each with its size and
    SHA-256, and a world that passes SQLite's check.
    """

    job: Literal["unpack"] = "unpack"
    archive: Path
    target: Path
    max_bytes: int

    def run(self, on_progress: ProgressCallback) -> Outcome:
        """Run the job. Blocking. Raises `ArchiveError`, `OSError`."""
        limits = Limits(_MAX_FILES, self.max_bytes, self.max_bytes)
        with self.archive.open("rb") as file:
            files = Unpacking(self.target, limits, on_progress=on_progress).unpack_zstandard(file)
        entry = files.pop(MANIFEST, None)
        if entry is None or entry.size > MAX_MANIFEST_BYTES:
            raise DamagedArchive(
                "The archive has no manifest: it is not a backup, or is incomplete."
            )
        manifest = _read_manifest(self.target / MANIFEST)
        _compare(manifest, files)
        check_world(self.target / SAVES / manifest.world)
        return Outcome(manifest=manifest, sha256=sha256_of(self.archive))


def _read_manifest(path: Path) -> Manifest:
    try:
        manifest = Manifest.model_validate_json(path.read_bytes())
    except ValidationError:
        raise ArchiveError("The archive's manifest is not of a form this manager knows.") from None
    path.unlink()
    return manifest


def _compare(manifest: Manifest, files: dict[str, ArchivedFile]) -> None:
    if not is_world_name(manifest.world):
        raise UnsafeArchive("The archive's world has a name that no world has.")
    world = f"{SAVES}/{manifest.world}"
    if {file.name: file for file in manifest.members} != files or world not in files:
        raise DamagedArchive("The archive doesn't hold what its manifest lists.")
    for name in files:
        folder, slash, _ = name.partition("/")
        if name != world and not (folder in FOLDERS if slash else name in FILES):
            raise UnsafeArchive("The archive holds files that are no part of a backup.")


def size_without_world(server_data: Path) -> int:
    """Return the bytes of everything that a backup contains apart from the world. Blocking."""
    size = 0
    for folder in FOLDERS:
        if not (server_data / folder).is_symlink():
            size += sum(sizes_below(server_data / folder))
    for file in FILES:
        with contextlib.suppress(OSError):
            size += os.lstat(server_data / file).st_size
    return size


def contents_of(members: Iterable[ArchivedFile]) -> dict[str, PartSize]:
    """Return files and bytes by part: the first folder of a name, or the file itself."""
    contents: dict[str, PartSize] = {}
    for member in members:
        part = contents.setdefault(member.name.split("/", 1)[0], PartSize())
        part.files += 1
        part.bytes += member.size
    return contents
