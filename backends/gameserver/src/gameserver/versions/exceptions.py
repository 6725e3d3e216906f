"""The errors of versions."""

from bedplate.problems import BadGateway, Conflict, NotFound, ServiceUnavailable
from gameserver.archives.exceptions import ArchiveError


class VersionNotInstalled(NotFound):
    """There is no such version on this server."""

    code = "version_not_installed"

    def __init__(self, version: str) -> None:
        super().__init__("This version is not installed.")
        self.version = version


class VersionNotOffered(NotFound):
    """The feed has no server of this version for Linux."""

    code = "version_not_offered"
    detail = "The feed offers no server of this version for Linux."


class VersionInUse(Conflict):
    """The current version can't be deleted, and the same one not be switched to."""

    code = "version_in_use"


class VersionInstalled(Conflict):
    """A version is installed already."""

    code = "version_installed"
    detail = "This version is installed already."


class DowngradeRefused(Conflict):
    """A newer version has run the world."""

    code = "downgrade_refused"

    def __init__(self, world: str) -> None:
        super().__init__(
            f"Version {world} has run this world, and an older one may damage it. Restore a "
            'backup from before, or send "force": true.',
            world_version=world,
        )


class FeedUnavailable(ServiceUnavailable):
    """The feed of versions doesn't answer, and nothing of it is known from earlier."""

    code = "version_feed_unavailable"

    def __init__(self) -> None:
        super().__init__("The feed of game versions does not answer.", retry_after=60)


class DownloadFailed(BadGateway):
    """The game's archive can't be had: unreachable, too large, too slow, elsewhere."""

    code = "download_failed"


class DigestMismatch(ArchiveError):
    """The archive isn't the one that the feed names."""

    code = "digest_mismatch"
    detail = "The archive's MD5 is not the one that the feed names."


class NotTheGame(ArchiveError):
    """The archive holds something else than the server of the version that was asked for."""

    code = "not_the_game"


class VersionRolledBack(Conflict):
    """The new version didn't get ready; the one from before runs again."""

    code = "version_rolled_back"
