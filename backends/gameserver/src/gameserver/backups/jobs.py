"""The heavy steps of backups and restores, each as a message that says what to do."""

from collections.abc import Callable
from pathlib import Path
from typing import Literal

from pydantic import BaseModel

from gameserver.archives.hashing import sha256_of
from gameserver.backups.packing import Source, unpack
from gameserver.backups.schemas import Manifest
from gameserver.backups.worlds import check_world, copy_stopped_world

Told = Callable[[int], None]


class Outcome(BaseModel):
    """What came of a job: of an archive its manifest and its SHA-256, of others nothing."""

    manifest: Manifest | None = None
    sha256: str = ""

    @property
    def archived(self) -> Manifest:
        """The manifest of an archive that was packed or unpacked."""
        if self.manifest is None:
            raise TypeError("This job deals with no archive.")
        return self.manifest


class CopyWorld(BaseModel):
    """Copies the world of a game that doesn't run into the new file `target`, and checks it."""

    kind: Literal["copy_world"] = "copy_world"
    world: Path
    target: Path

    def run(self, told: Told) -> Outcome:
        """Do it. Blocking. Raises `DamagedWorld`, `OSError`."""
        copy_stopped_world(self.world, self.target, told)
        check_world(self.target)
        return Outcome()


class CheckWorld(BaseModel):
    """Checks a copy of a world."""

    kind: Literal["check_world"] = "check_world"
    copied: Path

    def run(self, told: Told) -> Outcome:
        """Do it. Blocking. Raises `DamagedWorld`."""
        del told
        check_world(self.copied)
        return Outcome()


class Pack(BaseModel):
    """Packs what a backup is made of into the new file `archive`."""

    kind: Literal["pack"] = "pack"
    source: Source
    archive: Path

    def run(self, told: Told) -> Outcome:
        """Do it. Blocking. Raises `OSError`."""
        manifest = self.source.pack(self.archive, told)
        return Outcome(manifest=manifest, sha256=sha256_of(self.archive))


class Unpack(BaseModel):
    """Unpacks an archive into the new folder `target`, and checks all of it."""

    kind: Literal["unpack"] = "unpack"
    archive: Path
    target: Path
    most_bytes: int

    def run(self, told: Told) -> Outcome:
        """Do it. Blocking. Raises `ArchiveError`, `OSError`."""
        manifest = unpack(self.archive, self.target, self.most_bytes, told)
        return Outcome(manifest=manifest, sha256=sha256_of(self.archive))
