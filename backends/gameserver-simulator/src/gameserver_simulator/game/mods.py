"""The mods of a start: search, dependencies, load order."""

import re
from pathlib import Path

from gameserver_simulator.game.core import Core
from gameserver_simulator.game.modinfo import BadMod, ModInfo, read

PSEUDO_MODS = ("game", "creative", "survival")
STAGES = {"dev": 0, "pre": 1, "rc": 2}
RELEASE = 3
EXCEPTIONS = {"assembly": "load assembly", "start": "start the mod"}
STACK_TRACE = """\
Exception: Could not load file or assembly
   at Vintagestory.Common.ModContainer.LoadAssembly()"""
ANY_VERSION = {"", "*"}
SYSTEMS_OF_THE_GAME = 108


class Mods:
    """The mods of one start."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self.loaded: list[ModInfo] = []

    @property
    def crashes(self) -> list[ModInfo]:
        """Mods that end the start with an exception."""
        return [mod for mod in self.loaded if mod.startup == "crash"]

    @property
    def hangs(self) -> list[ModInfo]:
        """Mods that keep the game from becoming ready."""
        named = self._core.options.hang_with_mod
        return [mod for mod in self.loaded if mod.startup == "hang" or mod.identifier == named]

    def load(self) -> None:
        """Load the mods of all mod paths whose dependencies are met."""
        log = self._core.log
        folders = self._folders()
        log.notification("Will search the following paths for mods:")
        for folder in folders:
            log.notification(f"    {folder}")
        mods = [mod for folder in folders for mod in self._mods_in(folder)]
        enabled = [mod for mod in mods if not self._disabled(mod)]
        base = self._base()
        total, disabled = len(mods) + len(base), len(mods) - len(enabled)
        log.notification(f"Found {total} mods ({disabled} disabled)")
        self._name_rivals(enabled)
        self.loaded = self._resolve([*base, *_newest(enabled).values()])
        self._report()
        self._fail_on_purpose()

    def _folders(self) -> list[Path]:
        """Return the mod paths; relative ones start at the installation of the game."""
        configured = [Path(each) for each in self._core.config.values["ModPaths"]]
        server = self._core.options.server_folder
        return [server / path for path in (*configured, *self._core.options.mod_paths)]

    def _base(self) -> list[ModInfo]:
        version = self._core.options.version
        return [ModInfo(name, version, name, file=f"{name}.dll") for name in PSEUDO_MODS]

    def _mods_in(self, folder: Path) -> list[ModInfo]:
        if not folder.is_dir():
            return []
        mods = []
        for path in sorted(folder.iterdir()):
            if path.suffix.lower() != ".zip" and not (path / "modinfo.json").is_file():
                continue
            try:
                mods.append(read(path))
            except BadMod as error:
                text = "An exception was thrown when trying to to load the ModInfo:"  # as it says
                self._core.log.write("Error", f"[{path.name}] {text}\nException: {error}")
        return mods

    def _name_rivals(self, mods: list[ModInfo]) -> None:
        for name, chosen in _newest(mods).items():
            rivals = [mod.file for mod in mods if mod.identifier == name]
            if len(rivals) > 1:
                self._core.log.write(
                    "Warning",
                    f"Multiple mods share the mod ID '{name}' ({', '.join(rivals)}). "
                    f"Will only load the highest version one - v{chosen.version}.",
                )

    def _fail_on_purpose(self) -> None:
        """Let the mods fail that are made to; the game goes on without them."""
        for mod in self.loaded:
            if mod.startup in EXCEPTIONS:
                text = f"An exception was thrown when trying to {EXCEPTIONS[mod.startup]}:"
                self._core.log.write("Error", f"[{mod.identifier}] {text}\n{STACK_TRACE}")

    def _disabled(self, mod: ModInfo) -> bool:
        values = self._core.config.values
        named = [*(values["WorldConfig"]["DisabledMods"] or ()), *_listed(values["ModIdBlackList"])]
        return mod.side == "client" or mod.identifier in named or str(mod) in named

    def _resolve(self, mods: list[ModInfo]) -> list[ModInfo]:
        """Return the mods whose dependencies are met, each after those that it needs."""
        candidates = {mod.identifier: mod for mod in mods}
        found = set(candidates)
        while unmet := {
            name: missing
            for name, mod in candidates.items()
            if (missing := _missing(mod, candidates, found))
        }:
            for name, missing in unmet.items():
                self._complain(name, missing)
                del candidates[name]
        return _sorted(candidates)

    def _complain(self, name: str, missing: list[str]) -> None:
        self._core.log.write("Error", f"[{name}] Could not resolve some dependencies:")
        for line in missing:
            self._core.log.write("Error", f"[{name}]     {line}")

    def _report(self) -> None:
        log = self._core.log
        names = ", ".join(mod.identifier for mod in self.loaded)
        log.notification(f"Mods, sorted by dependency: {names}")
        systems = SYSTEMS_OF_THE_GAME + len(self.loaded) - len(PSEUDO_MODS)
        log.notification(f"Instantiated {systems} mod systems from {len(self.loaded)} enabled mods")
        rows = [f"{m.identifier:<24}{m.version:<16}{m.name:<32}{m.file}" for m in self.loaded]
        header = f"{'ModID':<24}{'Version':<16}{'Name':<32}FileName"
        log.notification("\n".join([f"Loaded mods ({len(rows)}):", header, *rows]))
        if "LastLaunchMods" in self._core.config.values:
            self._core.config.values["LastLaunchMods"] = [str(mod) for mod in self.loaded]


def _listed(value: object) -> list[str]:
    if isinstance(value, str):
        return re.split(r"[,\s]+", value)
    return [str(each) for each in value] if isinstance(value, list) else []


def _newest(mods: list[ModInfo]) -> dict[str, ModInfo]:
    newest: dict[str, ModInfo] = {}
    for mod in mods:
        other = newest.get(mod.identifier)
        if other is None or order(mod.version) > order(other.version):
            newest[mod.identifier] = mod
    return newest


def _missing(mod: ModInfo, present: dict[str, ModInfo], found: set[str]) -> list[str]:
    missing = []
    for name, minimum in mod.dependencies.items():
        if name in found and name not in present:
            missing.append(f"{name}@{minimum or '*'} - Dependency {name} failed loading")
        elif name not in present:
            missing.append(f"{name}@{minimum or '*'} - Missing")
        elif minimum not in ANY_VERSION and order(present[name].version) < order(minimum):
            missing.append(f"{name}@{minimum} - Version mismatch (has {present[name].version})")
    return missing


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
    """Return the sort key of X.Y.Z[-dev.N | -pre.N | -rc.N]: dev < pre < rc < release."""
    number, _, suffix = version.partition("-")
    digits = [int(each) for each in re.findall(r"\d+", number)[:3]]
    stage, _, count = suffix.partition(".")
    rank = STAGES.get(stage, RELEASE)
    return (*[*digits, 0, 0, 0][:3], rank, int(count) if count.isdecimal() else 0)
