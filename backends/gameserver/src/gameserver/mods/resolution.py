"""From requirements to a set of mods that fits together, or every reason why there is none.

The mod database doesn't say what a mod depends on; only the modinfo.json in its file does. So files
are fetched on the way, each once, to where nothing uses them yet.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Protocol

from gameserver.mods.modinfo import GAME_MODS, ModInfo
from gameserver.mods.releases import Suits
from gameserver.mods.state import Origin
from gameserver.version_numbers import is_at_least

MAX_FETCHES: Final = 100


@dataclass(frozen=True, slots=True)
class Requirement:
    """A mod to install: this `version`, or the newest suitable one from `min_version` on."""

    mod_id: str
    version: str | None = None
    min_version: str = ""
    needed_by: str | None = None


@dataclass(frozen=True, slots=True)
class Fetched:
    """A mod's file in the staging folder, checked."""

    info: ModInfo
    path: Path
    sha256: str
    origin: Origin
    url: str | None = None
    suits: Suits = Suits.UNKNOWN


@dataclass(frozen=True, slots=True)
class Conflict:
    """Why a set of mods doesn't fit together; `text` says it in one sentence."""

    kind: str
    mod_id: str
    text: str
    needed_by: str = ""
    needs: str = ""
    have: str = ""

    def as_dict(self) -> dict[str, str]:
        """Return what a problem document shows."""
        fields = ("kind", "mod_id", "text", "needed_by", "needs", "have")
        return {name: value for name in fields if (value := getattr(self, name))}


class Refused(Exception):
    """A need can't be fulfilled; the conflict says why."""

    def __init__(self, conflict: Conflict) -> None:
        super().__init__(conflict.text)
        self.conflict = conflict


class Catalogue(Protocol):
    """Where mods come from."""

    async def fetch(self, need: Requirement) -> Fetched:
        """Return the file that fulfils a need. Raises `Refused`, and what the network raises."""
        ...


@dataclass
class Present:
    """What is there before the change: enabled mods, the ids of disabled and of pinned ones."""

    enabled: Mapping[str, ModInfo]
    disabled: frozenset[str] = frozenset()
    pinned: frozenset[str] = frozenset()


@dataclass
class Resolution:
    """What came of it: the files to add, what keeps them from it, and what is only worth saying."""

    chosen: dict[str, Fetched] = field(default_factory=dict)
    conflicts: list[Conflict] = field(default_factory=list)
    warnings: list[Conflict] = field(default_factory=list)


class Resolver:
    """Fulfils requirements and, transitively, what the mods that come need.

    `game` is the installed version of the game, or None when there is none to compare with.
    """

    def __init__(self, present: Present, catalogue: Catalogue, game: str | None) -> None:
        self._present = present
        self._catalogue = catalogue
        self._game = game
        self._found = Resolution()
        self._refused: set[str] = set()
        self._fixed: set[str] = set()
        self._fetched = 0

    async def resolve(
        self, requirements: Iterable[Requirement], files: Iterable[Fetched] = ()
    ) -> Resolution:
        """Return the mods to add: `files`, and what meets the `requirements`."""
        waiting = list(requirements)
        self._fixed.update(wanted.mod_id for wanted in waiting if wanted.version is not None)
        for fetched in files:
            self._fixed.add(fetched.info.mod_id)
            self._choose(fetched, waiting)
        while waiting and not self._too_many():
            await self._fulfil(waiting.pop(0), waiting)
        self._judge()
        return self._found

    async def _fulfil(self, need: Requirement, waiting: list[Requirement]) -> None:
        if need.mod_id in self._refused or (need.needed_by and self._is_fulfilled(need)):
            return
        if (reason := self._hindrance(need)) is not None:
            self._refuse(need, reason)
            return
        self._fetched += 1
        try:
            self._choose(await self._catalogue.fetch(need), waiting)
        except Refused as refused:
            self._refuse(need, refused.conflict)

    def _choose(self, fetched: Fetched, waiting: list[Requirement]) -> None:
        self._found.chosen[fetched.info.mod_id] = fetched
        for mod_id, min_version in fetched.info.dependencies.items():
            if mod_id not in GAME_MODS:
                waiting.append(
                    Requirement(mod_id, min_version=min_version, needed_by=fetched.info.mod_id)
                )

    def _is_fulfilled(self, need: Requirement) -> bool:
        info = self._resulting().get(need.mod_id)
        return info is not None and is_at_least(info.version, need.min_version)

    def _hindrance(self, need: Requirement) -> Conflict | None:
        chosen = self._found.chosen.get(need.mod_id)
        if chosen is not None and need.mod_id in self._fixed:
            return _too_old(
                need.needed_by or "",
                need.mod_id,
                need.min_version,
                chosen.info.version,
            )
        if need.mod_id in self._present.pinned:
            text = f"{need.mod_id} is pinned; unpin it first."
            return Conflict("pinned", need.mod_id, text, need.needed_by or "", need.min_version)
        if need.needed_by and need.mod_id in self._present.disabled:
            text = f"{need.needed_by} needs {need.mod_id}, which is disabled; enable it first."
            return Conflict("disabled", need.mod_id, text, need.needed_by, need.min_version)
        return None

    def _refuse(self, need: Requirement, conflict: Conflict) -> None:
        self._refused.add(need.mod_id)
        self._found.conflicts.append(conflict)

    def _too_many(self) -> bool:
        if self._fetched < MAX_FETCHES:
            return False
        text = f"More than {MAX_FETCHES} mods would have to be fetched at once."
        self._found.conflicts.append(Conflict("too_many", "", text))
        return True

    def _resulting(self) -> dict[str, ModInfo]:
        new = {mod_id: fetched.info for mod_id, fetched in self._found.chosen.items()}
        return {**self._present.enabled, **new}

    def _judge(self) -> None:
        """Look at the whole: what the change breaks hinders it, what was broken is only said."""
        resulting = self._resulting()
        for flaw in flaws(resulting, self._game):
            touched = {flaw.needed_by, flaw.mod_id} & self._found.chosen.keys()
            if flaw.mod_id in self._refused:
                continue
            (self._found.conflicts if touched else self._found.warnings).append(flaw)


def flaws(mods: Mapping[str, ModInfo], game: str | None) -> Iterator[Conflict]:
    """Yield every dependency that isn't there, or is too old, in a set of enabled mods."""
    for info in mods.values():
        for mod_id, min_version in info.dependencies.items():
            if mod_id in GAME_MODS:
                if game is not None and not is_at_least(game, min_version):
                    yield _game_too_old(info.mod_id, mod_id, min_version, game)
            elif mod_id not in mods:
                text = (
                    f"{info.mod_id} needs {mod_id} {min_version}".rstrip() + ", which is missing."
                )
                yield Conflict("missing", mod_id, text, info.mod_id, min_version)
            elif not is_at_least(mods[mod_id].version, min_version):
                yield _too_old(info.mod_id, mod_id, min_version, mods[mod_id].version)


def needed_by(mods: Mapping[str, ModInfo], mod_id: str) -> list[str]:
    """Return the ids of the enabled mods that depend on a mod."""
    return sorted(mod.mod_id for mod in mods.values() if mod_id in mod.dependencies)


def _too_old(needed_by: str, mod_id: str, min_version: str, have: str) -> Conflict:
    text = (
        f"{needed_by} needs {mod_id} {min_version} or newer, not {have or 'one without a version'}."
    )
    return Conflict("too_old", mod_id, text, needed_by, min_version, have)


def _game_too_old(needed_by: str, mod_id: str, min_version: str, have: str) -> Conflict:
    text = f"{needed_by} needs version {min_version} of the game, not {have}."
    return Conflict("game_version", mod_id, text, needed_by, min_version, have)
