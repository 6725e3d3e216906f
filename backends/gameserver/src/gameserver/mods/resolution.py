"""From requirements to a set of mods that fits together, or every reason why there is none.

The mod database doesn't say what a mod depends on; only the modinfo.json in its file does. So files
are fetched on the way, each once, into a staging folder.
"""

from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Final

from gameserver.mods.listing import Release
from gameserver.mods.modinfo import GAME_MODS, ModInfo
from gameserver.mods.schemas import Origin, Suits
from gameserver.version_numbers import (
    VersionNumber,
    is_at_least,
    is_same,
    number_of,
    version_key,
)

MAX_FETCHES: Final = 100


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
        return {name: value for name, value in asdict(self).items() if value}


class Refused(Exception):
    """A requirement can't be fulfilled; the conflict says why."""

    def __init__(self, conflict: Conflict) -> None:
        super().__init__(conflict.text)
        self.conflict = conflict


@dataclass(frozen=True, slots=True)
class Requirement:
    """A mod to install: this `version`, or the newest suitable one from `min_version` on."""

    mod_id: str
    version: str | None = None
    min_version: str = ""
    needed_by: str = ""

    def conflict(self, kind: str, text: str, needs: str = "", have: str = "") -> Conflict:
        """Return why this can't be fulfilled."""
        return Conflict(kind, self.mod_id, text, self.needed_by, needs, have)


@dataclass(frozen=True, slots=True)
class Fetched:
    """A mod's file in the staging folder, checked."""

    info: ModInfo
    path: Path
    sha256: str
    origin: Origin
    url: str | None = None
    suits: Suits = Suits.UNKNOWN


Fetch = Callable[[Requirement], Awaitable[Fetched]]
"""Returns the file that fulfils a requirement. Raises `Refused`, and what the network raises."""


@dataclass
class Present:
    """The mods before the change: enabled ones, and the ids of disabled and of pinned ones."""

    enabled: Mapping[str, ModInfo]
    disabled: frozenset[str] = frozenset()
    pinned: frozenset[str] = frozenset()


@dataclass
class Resolution:
    """The files to add, the conflicts that prevent it, and warnings that don't."""

    chosen: dict[str, Fetched] = field(default_factory=dict)
    conflicts: list[Conflict] = field(default_factory=list)
    warnings: list[Conflict] = field(default_factory=list)


class Resolver:
    """Fulfils requirements and, transitively, what the new mods depend on.

    `game` is the installed version of the game, or None without one.
    """

    def __init__(self, present: Present, fetch: Fetch, game: str | None) -> None:
        self._present = present
        self._fetch = fetch
        self._game = game
        self._resolution = Resolution()
        self._waiting: list[Requirement] = []
        self._refused: set[str] = set()
        self._fixed: set[str] = set()
        self._fetches = 0

    async def resolve(
        self, requirements: Iterable[Requirement], files: Iterable[Fetched] = ()
    ) -> Resolution:
        """Return the mods to add: `files`, and what meets the `requirements`."""
        self._waiting.extend(requirements)
        self._fixed.update(need.mod_id for need in self._waiting if need.version is not None)
        for fetched in files:
            self._bring(fetched)
        while self._waiting:
            if self._fetches == MAX_FETCHES:
                text = f"More than {MAX_FETCHES} mods would have to be fetched at once."
                self._resolution.conflicts.append(Conflict("too_many", "", text))
                break
            await self._fulfil(self._waiting.pop(0))
        self._judge()
        return self._resolution

    async def _fulfil(self, need: Requirement) -> None:
        if need.mod_id in self._refused or (need.needed_by and self._is_fulfilled(need)):
            return
        try:
            self._check_replaceable(need)
            self._fetches += 1
            self._choose(await self._fetch(need))
        except Refused as refused:
            self._refuse(refused.conflict)

    def _bring(self, fetched: Fetched) -> None:
        """Choose a file that the request comes with."""
        need = Requirement(fetched.info.mod_id, fetched.info.version)
        self._fixed.add(need.mod_id)
        try:
            self._check_not_pinned(need)
            self._choose(fetched)
        except Refused as refused:
            self._refuse(refused.conflict)

    def _refuse(self, conflict: Conflict) -> None:
        self._refused.add(conflict.mod_id)
        self._resolution.conflicts.append(conflict)

    def _choose(self, fetched: Fetched) -> None:
        self._resolution.chosen[fetched.info.mod_id] = fetched
        self._waiting.extend(
            need for need in _dependencies(fetched.info) if need.mod_id not in GAME_MODS
        )

    def _is_fulfilled(self, need: Requirement) -> bool:
        info = self._resulting().get(need.mod_id)
        return info is not None and is_at_least(info.version, need.min_version)

    def _check_replaceable(self, need: Requirement) -> None:
        """Raise `Refused` when no other version of a mod may be chosen."""
        chosen = self._resolution.chosen.get(need.mod_id)
        if chosen is not None and need.mod_id in self._fixed:
            raise Refused(_too_old(need, chosen.info.version))
        self._check_not_pinned(need)
        if need.needed_by and need.mod_id in self._present.disabled:
            text = f"{need.needed_by} needs {need.mod_id}, which is disabled; enable it first."
            raise Refused(need.conflict("disabled", text, need.min_version))

    def _check_not_pinned(self, need: Requirement) -> None:
        if need.mod_id in self._present.pinned:
            text = f"{need.mod_id} is pinned; unpin it first."
            raise Refused(need.conflict("pinned", text, need.min_version))

    def _resulting(self) -> dict[str, ModInfo]:
        new = {mod_id: fetched.info for mod_id, fetched in self._resolution.chosen.items()}
        return {**self._present.enabled, **new}

    def _judge(self) -> None:
        """Look at the whole: what the change breaks prevents it; older flaws are only warnings."""
        for flaw in flaws(self._resulting(), self._game):
            if flaw.mod_id in self._refused:
                continue
            touched = {flaw.needed_by, flaw.mod_id} & self._resolution.chosen.keys()
            (self._resolution.conflicts if touched else self._resolution.warnings).append(flaw)


def flaws(mods: Mapping[str, ModInfo], game: str | None) -> Iterator[Conflict]:
    """Yield every dependency that is missing or too old in a set of enabled mods."""
    for need in (need for info in mods.values() for need in _dependencies(info)):
        if need.mod_id in GAME_MODS:
            if game is not None and not is_at_least(game, need.min_version):
                text = f"{need.needed_by} needs version {need.min_version} of the game, not {game}."
                yield need.conflict("game_version", text, need.min_version, game)
        elif need.mod_id not in mods:
            needed = f"{need.mod_id} {need.min_version}".rstrip()
            text = f"{need.needed_by} needs {needed}, which is missing."
            yield need.conflict("missing", text, need.min_version)
        elif not is_at_least(mods[need.mod_id].version, need.min_version):
            yield _too_old(need, mods[need.mod_id].version)


def _dependencies(info: ModInfo) -> Iterator[Requirement]:
    for mod_id, min_version in info.dependencies.items():
        yield Requirement(mod_id, min_version=min_version, needed_by=info.mod_id)


def _too_old(need: Requirement, have: str) -> Conflict:
    needed = f"{need.mod_id} {need.min_version} or newer"
    text = f"{need.needed_by} needs {needed}, not {have or 'one without a version'}."
    return need.conflict("too_old", text, need.min_version, have)


def suits(game_versions: Iterable[str], game: str | None) -> Suits:
    """Return how well a release made for `game_versions` suits the version `game`."""
    named = [text.removeprefix("v") for text in game_versions]
    if game is None or not named:
        return Suits.UNKNOWN
    if any(is_same(text, game) for text in named):
        return Suits.EXACT
    return Suits.SERIES if _series_of(game) in map(_series_of, named) else Suits.NO


def _series_of(version: str) -> tuple[int, int] | str:
    """Return major and minor number, which versions of one series share."""
    number = number_of(version)
    return version if number is None else number.numbers[:2]


def exact_release(releases: Iterable[Release], mod_id: str, version: str) -> Release | None:
    """Return the release of a version, or None."""
    matches = (item for item in _of_mod(releases, mod_id) if is_same(item.version, version))
    return next(matches, None)


_RANKS: Final = {Suits.EXACT: 2, Suits.UNKNOWN: 2, Suits.SERIES: 1, Suits.NO: 0}


def best_release(
    releases: Iterable[Release],
    mod_id: str,
    *,
    game: str | None,
    min_version: str = "",
    any_game_version: bool = False,
) -> Release | None:
    """Return the newest release from `min_version` on that suits the game, or None.

    A release that names this very game version comes before a newer one that names only another of
    its series; a finished version before a preview of any.
    """

    def merit(release: Release) -> tuple[bool, bool, int, tuple[VersionNumber, ...]]:
        rank, number = _RANKS[suits(release.game_versions, game)], number_of(release.version)
        finished = number is None or number.stable
        return rank > 0, finished, rank, version_key(release.version)

    usable = [
        release
        for release in _of_mod(releases, mod_id)
        if release.url is not None
        and is_at_least(release.version, min_version)
        and (any_game_version or suits(release.game_versions, game) is not Suits.NO)
    ]
    return max(usable, key=merit, default=None)


def _of_mod(releases: Iterable[Release], mod_id: str) -> Iterator[Release]:
    """Yield the releases of one id: a page may hold those of several."""
    return (release for release in releases if release.mod_id.lower() == mod_id)
