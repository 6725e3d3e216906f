"""Which mods fit together: pinned, disabled and named ones, and what a change would break."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from gameserver.mods.modinfo import ModInfo
from gameserver.mods.resolution import (
    MAX_FETCHES,
    Fetch,
    Fetched,
    Present,
    Refused,
    Requirement,
    Resolution,
    Resolver,
)
from gameserver.mods.schemas import Origin

GAME = "1.21.6"


def mod(mod_id: str, version: str, **needs: str) -> ModInfo:
    """Return a mod that needs these mods, each from a version on."""
    return ModInfo(mod_id=mod_id, name=mod_id, version=version, dependencies=needs)


def file_of(info: ModInfo) -> Fetched:
    """Return the file of a mod."""
    return Fetched(info, Path(f"{info.mod_id}.zip"), "0" * 64, Origin.DATABASE)


def enabled(*mods: ModInfo, disabled: str = "", pinned: str = "") -> Present:
    """Return the mods before the change; `disabled` and `pinned` are ids."""
    return Present(
        {info.mod_id: info for info in mods},
        disabled=frozenset(disabled.split()),
        pinned=frozenset(pinned.split()),
    )


def published(*mods: ModInfo) -> Fetch:
    """Return a mod database with one release of each of these mods."""
    releases: Mapping[str, ModInfo] = {info.mod_id: info for info in mods}

    async def fetch(need: Requirement) -> Fetched:
        if need.mod_id not in releases:
            raise Refused(need.conflict("not_found", "Nobody has published it."))
        return file_of(releases[need.mod_id])

    return fetch


LAMPS = mod("lamps", "2.0.0", oil="1.4.0")
OIL = mod("oil", "1.4.0")
OLD_OIL = mod("oil", "1.0.0")


def kinds_of(resolution: Resolution) -> list[tuple[str, str]]:
    """Return kind and mod of the conflicts."""
    return [(conflict.kind, conflict.mod_id) for conflict in resolution.conflicts]


@pytest.mark.parametrize("need", [Requirement("lamps"), Requirement("oil", "1.4.0")])
async def test_a_pinned_mod_is_not_replaced(need: Requirement) -> None:
    """It keeps its version, whether another mod needs a newer one or somebody asks for it."""
    present = enabled(OLD_OIL, pinned="oil")
    resolution = await Resolver(present, published(LAMPS, OIL), GAME).resolve([need])
    assert ("pinned", "oil") in kinds_of(resolution)
    assert "oil" not in resolution.chosen


async def test_a_file_does_not_replace_a_pinned_mod() -> None:
    """Neither does an uploaded file, nor one behind a URL."""
    present = enabled(OLD_OIL, pinned="oil")
    resolution = await Resolver(present, published(), GAME).resolve([], [file_of(OIL)])
    assert kinds_of(resolution) == [("pinned", "oil")]
    assert resolution.chosen == {}


async def test_a_pinned_mod_that_suffices_is_no_conflict() -> None:
    """A pin keeps a version; others may need the mod in that version."""
    present = enabled(OIL, pinned="oil")
    resolution = await Resolver(present, published(LAMPS), GAME).resolve([Requirement("lamps")])
    assert resolution.conflicts == []
    assert set(resolution.chosen) == {"lamps"}


async def test_a_disabled_mod_is_not_enabled_for_another() -> None:
    """Who disabled it is asked to enable it again; no second file of it is installed."""
    present = enabled(disabled="oil")
    resolution = await Resolver(present, published(LAMPS, OIL), GAME).resolve(
        [Requirement("lamps")]
    )
    assert ("disabled", "oil") in kinds_of(resolution)
    assert "oil" not in resolution.chosen


@pytest.mark.parametrize("brings_file", [False, True])
async def test_a_version_that_somebody_names_stays(*, brings_file: bool) -> None:
    """No other mod of the same request replaces a version that was asked for, or its file."""
    needs = [] if brings_file else [Requirement("oil", "1.0.0")]
    files = [file_of(OLD_OIL)] if brings_file else []

    async def fetch(need: Requirement) -> Fetched:
        if need.mod_id == "lamps":
            return file_of(LAMPS)
        return file_of(OLD_OIL if need.version == "1.0.0" else OIL)

    resolution = await Resolver(enabled(), fetch, GAME).resolve(
        [*needs, Requirement("lamps")], files
    )
    assert ("too_old", "oil") in kinds_of(resolution)
    assert resolution.chosen["oil"].info == OLD_OIL


async def test_what_a_change_breaks_prevents_it() -> None:
    """A downgrade below what an installed mod needs is a conflict."""
    present = enabled(LAMPS, OIL)
    resolution = await Resolver(present, published(OLD_OIL), GAME).resolve(
        [Requirement("oil", "1.0.0")]
    )
    assert kinds_of(resolution) == [("too_old", "oil")]
    assert resolution.conflicts[0].needed_by == "lamps"


async def test_a_mod_for_a_newer_game_prevents_the_change() -> None:
    """Its modinfo asks for a version of the game that isn't installed."""
    resolution = await Resolver(
        enabled(), published(mod("lamps", "2.0.0", game="1.22.0")), GAME
    ).resolve([Requirement("lamps")])
    assert kinds_of(resolution) == [("game_version", "game")]


async def test_older_flaws_only_warn() -> None:
    """What was wrong before, and has nothing to do with the change, doesn't prevent it."""
    present = enabled(mod("bees", "1.0.0", flowers=""))
    resolution = await Resolver(present, published(OIL), GAME).resolve([Requirement("oil")])
    assert resolution.conflicts == []
    assert [warning.mod_id for warning in resolution.warnings] == ["flowers"]


async def test_endless_dependencies_are_refused() -> None:
    """Each mod needs another: the fetches are bounded, and the conflict says so."""
    fetched = 0

    async def fetch(need: Requirement) -> Fetched:
        nonlocal fetched
        fetched += 1
        if fetched > MAX_FETCHES:
            raise AssertionError("It fetches without end.")
        return file_of(mod(need.mod_id, "1.0.0", **{f"{need.mod_id}x": ""}))

    resolution = await Resolver(enabled(), fetch, GAME).resolve([Requirement("a")])
    assert "too_many" in [conflict.kind for conflict in resolution.conflicts]
