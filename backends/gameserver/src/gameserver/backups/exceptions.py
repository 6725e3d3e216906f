from bedplate.problems import BadGateway, Conflict, NotFound, ServiceUnavailable
from gameserver.archives.exceptions import DamagedArchive


class BackupNotFound(NotFound):
    """There is no such backup."""

    code = "backup_not_found"
    detail = "There is no such backup."


class BackupInUse(Conflict):
    """A backup is pinned, or is being restored."""

    code = "backup_in_use"


class WorldNotFound(Conflict):
    """There is no world yet; the game creates one at its first start."""

    code = "world_not_found"
    detail = "There is no world yet: start the game once."


class GameInTransition(Conflict):
    """The game is starting or stopping: neither running nor at rest."""

    code = "game_in_transition"


class GameStillRunning(Conflict):
    """A restore replaces files that a running game keeps open."""

    code = "game_still_running"
    detail = 'The game runs: stop it, or send "stop": true to have it restarted afterwards.'


class WorldFromNewerVersion(Conflict):
    """A world was saved by a newer version of the game than the one that would run it."""

    code = "world_from_newer_version"

    def __init__(self, world: str, version: str) -> None:
        super().__init__(
            f"Version {world} has run this world, and {version} may damage it; "
            'send "force": true to do it anyway.'
        )


class BackupWithoutVersion(Conflict):
    """Nobody knows which version of the game had run the world of a backup."""

    code = "backup_without_version"
    detail = "It isn't known which version of the game had run this world."


class BackupVersionNotInstalled(Conflict):
    """The version of the game that had run the world of a backup isn't installed."""

    code = "backup_version_not_installed"

    def __init__(self, version: str) -> None:
        super().__init__(
            f"Version {version} has run this world, and isn't installed: install it first.",
            version=version,
        )


class BackupNotStarted(ServiceUnavailable):
    """The game got the command to copy its world, and created no file."""

    code = "backup_not_started"
    detail = (
        "The game did not begin the backup. It may think that another one is still in "
        "progress, and forgets that only when it restarts: stop it, and back up while it is "
        "stopped."
    )


class BackupIncomplete(ServiceUnavailable):
    """The game ended, or stopped writing, before its copy of the world was complete."""

    code = "backup_incomplete"


class DamagedWorld(DamagedArchive):
    """A copy of the world fails SQLite's own check, or doesn't have the game's tables."""

    code = "world_damaged"
    detail = "The copy of the world fails its check: it is damaged or incomplete."


class OffHostStoreUnavailable(BadGateway):
    """The store of off-host copies does not answer, or refuses access."""

    code = "off_host_store_unavailable"
    detail = "The store of off-host copies can't be used at the moment."
