"""The folders below the data directory. Nothing outside of it is ever written."""

from pathlib import Path


class Layout:
    """The folders of one game server.

    server/<version>/   the game's binaries, side by side
    serverdata/         the game's own data: its `--dataPath`
    manager/            the manager's own data: state, backups, cache, audit, staging
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.servers = root / "server"
        """Folder of the installed game versions, one folder each."""
        self.server_data = root / "serverdata"
        """The game's `--dataPath`."""
        self.saves = self.server_data / "Saves"
        """The worlds."""
        self.mods = self.server_data / "Mods"
        """The mods that the game loads."""
        self.server_config = self.server_data / "serverconfig.json"
        """The game's settings, which a running game rewrites from memory."""
        self.manager = root / "manager"
        """The manager's own data."""
        self.state = self.manager / "state"
        """The manager's JSON documents."""
        self.backups = self.manager / "backups"
        """Finished backups; an incomplete one never lies here under a final name."""
        self.cache = self.manager / "cache"
        """Downloads that can be repeated."""
        self.audit = self.manager / "audit"
        """The audit log."""
        self.previous_mods = self.manager / "former-mods"
        """Mods that changes replaced, for rolling back: a folder for each change."""
        self.staging = self.manager / "staging"
        """Work in progress; emptied at start, after the journal was finished or undone."""
        self.journal = self.manager / "journal"
        """File transactions in progress."""

    def create(self) -> None:
        """Create every folder; the manager's own is closed to other users, for its secrets."""
        for folder in (self.servers, self.saves, self.mods):
            folder.mkdir(parents=True, exist_ok=True)
        self.manager.mkdir(mode=0o700, exist_ok=True)
        for folder in (
            self.state,
            self.backups,
            self.cache,
            self.audit,
            self.staging,
            self.journal,
        ):
            folder.mkdir(exist_ok=True)
