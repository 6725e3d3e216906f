"""Archives of backups, as strangers may have made them."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import orjson
import pytest

from gameserver.archives.exceptions import ArchiveError, DamagedArchive
from gameserver.archives.packing import ArchiveWriter
from gameserver.backups.jobs import MANIFEST, Unpack

MakeWorld = Callable[[Path, int], None]
Forge = Callable[..., Path]
WORLD = "default.vcdbs"


@pytest.fixture
def forge(tmp_path: Path, make_world: MakeWorld) -> Forge:
    """Give what makes a sound archive, but for what is said to be in its manifest."""

    def forge(**said: object) -> Path:
        world, archive = tmp_path / WORLD, tmp_path / "forged.tar.zst"
        make_world(world, 1)
        with ArchiveWriter(archive, on_progress=lambda _: None) as writer:
            writer.add_file(world, f"Saves/{WORLD}")
            manifest = {
                "kind": "manual",
                "created_at": datetime(2026, 1, 1, tzinfo=UTC),
                "world": WORLD,
                "members": writer.files,
                **said,
            }
            writer.add_bytes(orjson.dumps(manifest), MANIFEST)
        return archive

    return forge


@pytest.mark.parametrize("version", [None, "1.21.6", "1.22.0-rc.3"])
def test_a_manifest_names_a_version(tmp_path: Path, forge: Forge, version: str | None) -> None:
    """A version of the game, or none, is read."""
    archive = forge(game_version=version)
    job = Unpack(archive=archive, target=tmp_path / "data", max_bytes=1 << 30)
    assert job.run(lambda _: None).archive_manifest.game_version == version


@pytest.mark.parametrize("version", ["banana", "", "1.21", "v1.21.6", "1.21.6\n", 5, "9" * 5000])
def test_a_manifest_names_nonsense(tmp_path: Path, forge: Forge, version: object) -> None:
    """What is no version is refused: it would be remembered as what had run the world."""
    archive = forge(game_version=version)
    job = Unpack(archive=archive, target=tmp_path / "data", max_bytes=1 << 30)
    with pytest.raises(ArchiveError) as refused:
        job.run(lambda _: None)
    assert not isinstance(refused.value, DamagedArchive)
