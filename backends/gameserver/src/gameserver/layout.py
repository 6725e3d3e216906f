"""The folders below the data directory. Nothing outside of it is ever written."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Layout:
    """The folders of one game server.

    server/<version>/   the game's binaries, side by side
    serverdata/         the game's own data: its `--dataPath`
    manager/            the manager's own data: state, backups, cache, audit, staging
    """

    root: Path

    @property
    def servers(self) -> Path:
        """Folder of the installed game versions, one folder each."""
        return self.root / "server"

    @property
    def server_data(self) -> Path:
        """The game's `--dataPath`."""
        return self.root / "serverdata"

    @property
    def saves(self) -> Path:
        """The worlds."""
        return self.server_data / "Saves"

    @property
    def mods(self) -> Path:
        """The mods that the game loads."""
        return self.server_data / "Mods"

    @property
    def server_config(self) -> Path:
        """The game's settings, which a running game rewrites from memory."""
        return self.server_data / "serverconfig.json"

    @property
    def manager(self) -> Path:
        """The manager's own data."""
        return self.root / "manager"

    @property
    def state(self) -> Path:
        """The manager's JSON documents."""
        return self.manager / "state"

    @property
    def backups(self) -> Path:
        """Finished backups; an incomplete one never lies here under a final name."""
        return self.manager / "backups"

    @property
    def cache(self) -> Path:
        """Downloads that can be repeated."""
        return self.manager / "cache"

    @property
    def audit(self) -> Path:
        """The audit log."""
        return self.manager / "audit"

    @property
    def previous_mods(self) -> Path:
        """Mods that changes replaced, for rolling back: a folder for each change."""
        return self.manager / "former-mods"

    @property
    def staging(self) -> Path:
        """Work in progress; emptied at start, after the journal was finished or undone."""
        return self.manager / "staging"

    @property
    def journal(self) -> Path:
        """File transactions in progress."""
        return self.manager / "journal"

    def create(self) -> None:
        """Create every folder; the manager's own is closed to other users, for its secrets."""
        for folder in (self.servers, self.saves, self.mods):
            folder.mkdir(parents=True, exist_ok=True)
        self.manager.mkdir(mode=0o700, exist_ok=True)
        for folder in (self.state, self.backups, self.cache, self.audit, self.staging):
            folder.mkdir(exist_ok=True)
        self.journal.mkdir(exist_ok=True)
