"""Where the game's settings say that its world and its mods are, and where they have to be.

The game obeys the absolute paths in serverconfig.json. Those of a server that moved here lead to
its old place. Everybody who wants to know where the world is asks here.
"""

import contextlib
import os
import re
from pathlib import Path
from typing import Any, Final

import structlog

from bedplate.problems import Conflict, ProblemError
from gameserver.config_file import ConfigFile, ConfigText, KeyPath, SettingsUnreadable
from gameserver.layout import Layout

SUFFIX: Final = ".vcdbs"
DEFAULT_WORLD: Final = f"default{SUFFIX}"
_MAX_NAME_LENGTH: Final = 200
_WORLD: Final = ("WorldConfig", "SaveFileLocation")
_MODS: Final = ("ModPaths",)
_ABSOLUTE: Final = re.compile(r"/|[A-Za-z]:[\\/]|\\\\")


class WorldElsewhere(Conflict):
    """The game's settings name another file as its world than the one in this data directory."""

    code = "world_elsewhere"


def world_file(layout: Layout) -> Path:
    """Return the path of the game's world, existing or not: from its settings, or the default.

    Only the file's name is taken from the settings. `fit_settings` makes the rest fit before each
    start. Blocking.
    """
    location = _location(_read(layout))
    name = (location or "").replace("\\", "/").rsplit("/", 1)[-1]
    return layout.saves / (name if is_world_name(name) else DEFAULT_WORLD)


def is_world_name(name: str) -> bool:
    """Return whether a text is the plain file name of a world."""
    return (
        name.endswith(SUFFIX)
        and name != SUFFIX
        and len(name.encode(errors="replace")) <= _MAX_NAME_LENGTH
        and "/" not in name
        and name.isprintable()
        and not name.startswith(".")
    )


def require_fitting_world(layout: Layout) -> None:
    """Raise `WorldElsewhere` unless the game's world is the file that `world_file` returns.

    Blocking.
    """
    location, world = _location(_read(layout)), world_file(layout)
    if location is not None and not _is_same(location, world):
        raise WorldElsewhere(
            f"serverconfig.json names {location} as the world, and not serverdata/Saves/"
            f"{world.name}. Start the game once: that puts it right, or says what to do."
        )


def fit_settings(layout: Layout) -> None:
    """Make the settings name the world and the mods in this data directory, where they don't.

    Blocking; the game must be down. Raises `WorldElsewhere` when the world that they name exists,
    and may be the one that people have played. Settings that can't be read stay as they are: the
    game says so itself.
    """
    text = _read(layout)
    if text is None:
        return
    world, location = world_file(layout), _location(text)
    if location is not None and not _is_same(location, world):
        _refuse_better_world(location, world)
    try:
        content = fitted(text, world, layout.mods)
    except SettingsUnreadable:
        raise WorldElsewhere(
            "serverconfig.json leads to another data directory, and can't be changed safely: set "
            f'"SaveFileLocation" to "{world}", and add "{layout.mods}" to "ModPaths".'
        ) from None
    if content is not None:
        ConfigFile(layout.server_config).write(content)
        structlog.get_logger().warning("settings_made_to_fit", world=location)


def fitted(text: ConfigText, world: Path, mods: Path) -> bytes | None:
    """Return the settings with the paths of this world and these mods; None if they have them.

    Raises `SettingsUnreadable`.
    """
    changes: dict[KeyPath, Any] = {}
    texts: dict[str, str] = {}
    location, paths = _location(text), text.get(_MODS)
    if location is not None and not _is_same(location, world):
        changes[_WORLD] = texts[location] = str(world)
    if isinstance(paths, list) and not any(_is_same(path, mods) for path in paths):
        stale = [path for path in paths if _is_mods_folder(path)][-1:]
        changes[_MODS] = [path for path in paths if path not in stale] + [str(mods)]
        texts |= {path: str(mods) for path in stale}
    if not changes:
        return None
    try:
        return text.changed(changes)
    except SettingsUnreadable:
        if len(texts) < len(changes):
            raise
        return text.replaced(texts)


def _read(layout: Layout) -> ConfigText | None:
    with contextlib.suppress(ProblemError, OSError):
        return ConfigFile(layout.server_config).read()
    return None


def _location(text: ConfigText | None) -> str | None:
    location = None if text is None else text.get(_WORLD)
    return location if isinstance(location, str) and location else None


def _is_same(location: object, path: Path) -> bool:
    """Return whether a path of the settings leads to `path`, also by a symbolic link."""
    if not isinstance(location, str) or not Path(location).is_absolute():
        return False
    with contextlib.suppress(ValueError, OSError):  # a NUL, or a loop of links
        return os.path.realpath(location) == os.path.realpath(path)
    return False


def _is_mods_folder(path: object) -> bool:
    """Return whether it is the absolute path of some data directory's `Mods`, of any system."""
    if not isinstance(path, str) or _ABSOLUTE.match(path) is None:
        return False
    return path.replace("\\", "/").rstrip("/").rsplit("/", 1)[-1].casefold() == "mods"


def _refuse_better_world(location: str, world: Path) -> None:
    other = Path(location)
    played = _last_played(other)
    if played is None:
        return
    here = _last_played(world)
    if here is None or played > here:
        which = "which is not in" if here is None else "which was played after the one in"
        raise WorldElsewhere(
            f"serverconfig.json names {location} as the world, {which} serverdata/Saves. Move the "
            f"world that you want, with its -wal file, to serverdata/Saves/{world.name}, and move "
            "the other one away."
        )


def _last_played(world: Path) -> int | None:
    """Return when a world or its log was last written; None when there is no such file."""
    times = []
    for suffix in ("", "-wal"):
        with contextlib.suppress(OSError, ValueError):
            times.append(Path(f"{world}{suffix}").stat().st_mtime_ns)
    return max(times) if times and world.is_absolute() else None
