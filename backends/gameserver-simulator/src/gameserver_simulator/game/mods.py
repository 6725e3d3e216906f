"""The mods that the game finds, sorts, loads, or says why not."""

import re
from pathlib import Path
from typing import TYPE_CHECKING

from gameserver_simulator.game.modinfo import BadMod, ModInfo, read

if TYPE_CHECKING:
    from gameserver_simulator.game.game import Game

PSEUDO_MODS = ("game", "creative", "survival")
STAGES = {"dev": 0, "pre": 1, "rc": 2}
RELEASE = 3
ANY_VERSION = {"", "*"}
SYSTEMS_OF_THE_GAME = 108


class Mods:
    """The mods of one start."""

    def __init__(self, game: "Game") -> None:
        self._game = game
        self.loaded: list[ModInfo] = []

    @property
    def crashes(self) -> list[ModInfo]:
        """Mods that end the start with an exception."""
        return [mod for mod in self.loaded if mod.startup == "crash"]

    @property
    def hangs(self) -> list[ModInfo]:
        """Mods that keep the game from becoming ready."""
        named = self._game.options.hang_with_mod
        return [mod for mod in self.loaded if mod.startup == "hang" or mod.identifier == named]

    def load(self) -> None:
        """Find the mods in all mod paths, and load those whose dependencies are met."""
        log = self._game.log
        folders = self._folders()
        log.notification("Will search the following paths for mods:")
        for folder in folders:
            log.notification(f"    {folder}")
        found = [mod for folder in folders for mod in self._found(folder)]
        enabled = [mod for mod in found if not self._disabled(mod)]
        base = self._base()
        total, disabled = len(found) + len(base), len(found) - len(enabled)
        log.notification(f"Found {total} mods ({disabled} disabled)")
        self.loaded = self._resolve([*base, *_newest(enabled)])
        self._report()

    def _folders(self) -> list[Path]:
        """Return the mod paths; a relative one begins where the game is installed."""
        configured = [Path(each) for each in self._game.config.values["ModPaths"]]
        server = self._game.options.server_folder
        return [server / path for path in (*configured, *self._game.options.mod_paths)]

    def _base(self) -> list[ModInfo]:
        version = self._game.options.version
        return [ModInfo(name, version, name, file=f"{name}.dll") for name in PSEUDO_MODS]

    def _found(self, folder: Path) -> list[ModInfo]:
        if not folder.is_dir():
            return []
        found = []
        for path in sorted(folder.iterdir()):
            if path.suffix.lower() != ".zip" and not (path / "modinfo.json").is_file():
                continue
            try:
                found.append(read(path))
            except BadMod as error:
                self._game.log.write("Error", f"[{path.name}] Could not load mod info: {error}")
        return found

    def _disabled(self, mod: ModInfo) -> bool:
        values = self._game.config.values
        named = [*(values["WorldConfig"]["DisabledMods"] or ()), *_listed(values["ModIdBlackList"])]
        return mod.side == "client" or mod.identifier in named or str(mod) in named

    def _resolve(self, mods: list[ModInfo]) -> list[ModInfo]:
        """Return the mods whose dependencies are met, each after those that it needs."""
        candidates = {mod.identifier: mod for mod in mods}
        while unmet := {
            name: lacks for name, mod in candidates.items() if (lacks := _lacks(mod, candidates))
        }:
            for name, lacks in unmet.items():
                self._complain(name, lacks)
                del candidates[name]
        return _sorted(candidates)

    def _complain(self, name: str, lacks: list[str]) -> None:
        self._game.log.write("Error", f"[{name}] Could not resolve some dependencies:")
        for lack in lacks:
            self._game.log.write("Error", f"[{name}]     {lack}")

    def _report(self) -> None:
        log = self._game.log
        names = ", ".join(mod.identifier for mod in self.loaded)
        log.notification(f"Mods, sorted by dependency: {names}")
        systems = SYSTEMS_OF_THE_GAME + len(self.loaded) - len(PSEUDO_MODS)
        log.notification(f"Instantiated {systems} mod systems from {len(self.loaded)} enabled mods")
        rows = [f"{m.identifier:<24}{m.version:<16}{m.name:<32}{m.file}" for m in self.loaded]
        header = f"{'ModID':<24}{'Version':<16}{'Name':<32}FileName"
        log.notification("\n".join([f"Loaded mods ({len(rows)}):", header, *rows]))
        if "LastLaunchMods" in self._game.config.values:
            self._game.config.values["LastLaunchMods"] = [str(mod) for mod in self.loaded]


def _listed(value: object) -> list[str]:
    if isinstance(value, str):
        return re.split(r"[,\s]+", value)
    return [str(each) for each in value] if isinstance(value, list) else []


def _newest(mods: list[ModInfo]) -> list[ModInfo]:
    newest: dict[str, ModInfo] = {}
    for mod in mods:
        other = newest.get(mod.identifier)
        if other is None or order(mod.version) > order(other.version):
            newest[mod.identifier] = mod
    return list(newest.values())


def _lacks(mod: ModInfo, present: dict[str, ModInfo]) -> list[str]:
    lacks = []
    for name, least in mod.dependencies.items():
        if name not in present:
            lacks.append(f"{name}@{least or '*'} - Missing")
        elif least not in ANY_VERSION and order(present[name].version) < order(least):
            lacks.append(f"{name}@{least} - Version {present[name].version} is too old")
    return lacks


def _sorted(mods: dict[str, ModInfo]) -> list[ModInfo]:
    ordered: dict[str, ModInfo] = {}

    def place(name: str, above: tuple[str, ...] = ()) -> None:
        if name in ordered or name in above:
            return
        for needed in sorted(mods[name].dependencies):
            place(needed, (*above, name))
        ordered[name] = mods[name]

    for name in mods:
        place(name)
    return list(ordered.values())


def order(version: str) -> tuple[int, ...]:
    """Return what versions sort by: X.Y.Z[-dev.N | -pre.N | -rc.N], dev < pre < rc < release."""
    number, _, suffix = version.partition("-")
    digits = [int(each) for each in re.findall(r"\d+", number)[:3]]
    stage, _, count = suffix.partition(".")
    rank = STAGES.get(stage, RELEASE)
    return (*[*digits, 0, 0, 0][:3], rank, int(count) if count.isdecimal() else 0)
