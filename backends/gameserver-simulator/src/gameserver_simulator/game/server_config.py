"""serverconfig.json and servermagicnumbers.json."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from gameserver_simulator.game import json_files
from gameserver_simulator.game.config_defaults import MAGIC_NUMBERS, defaults


class ServerConfig:
    """The settings in memory. The files are rewritten from here, lazily and at the stop."""

    def __init__(self, data_path: Path, version: str) -> None:
        self._path = data_path / "serverconfig.json"
        self._magic_path = data_path / "servermagicnumbers.json"
        self.is_new = not self._path.exists()
        self.values = defaults(data_path, version)
        self.magic = dict(MAGIC_NUMBERS)
        self.changed: Callable[[], None] = lambda: None
        """Called when the file needs saving."""

    def load(self) -> None:
        """Read both files over the defaults. Raises `json_files.Unreadable`."""
        for path, values in ((self._path, self.values), (self._magic_path, self.magic)):
            content = json_files.read(path, {})
            if not isinstance(content, dict):
                raise json_files.Unreadable(f"{path}: not an object")
            for key, value in content.items():
                _merge(values, key, value)
        self.save()

    def save(self) -> None:
        """Write both files. Edits of them in the meantime are lost."""
        json_files.write(self._path, self.values)
        json_files.write(self._magic_path, self.magic)

    def set(self, key: str, value: object) -> None:
        """Change a setting; its file is written soon after."""
        self.values[key] = value
        self.changed()

    @property
    def autosave_seconds(self) -> float:
        """Seconds between two saves."""
        return float(self.magic["ServerAutoSave"])

    @property
    def startup_commands(self) -> list[str]:
        """Commands that the game runs once it is ready."""
        return str(self.values["StartupCommands"] or "").splitlines()

    @property
    def whitelisted_only(self) -> bool:
        """Whether only players of the whitelist may join. 0, the default, means on."""
        return bool(self.values["OnlyWhitelisted"]) or self.values["WhitelistMode"] != 1


def _merge(values: dict[str, Any], key: str, value: Any) -> None:
    if key == "WorldConfig" and isinstance(value, dict):
        values[key] = {**values[key], **value}
    else:
        values[key] = value
