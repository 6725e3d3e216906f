from bedplate.problems import BadGateway, Conflict, NotFound, ServiceUnavailable
from gameserver.archives.exceptions import ArchiveError


class VersionNotOffered(NotFound):
    """The feed has no Linux server of this version."""

    code = "version_not_offered"
    detail = "The feed offers no server of this version for Linux."


class VersionInUse(Conflict):
    """The current version can't be deleted, nor switched to again."""

    code = "version_in_use"


class VersionInstalled(Conflict):
    """The version is installed already."""

    code = "version_installed"
    detail = "This version is installed already; a switch to it makes it the current one."


class DowngradeRefused(Conflict):
    """A newer version has run the world."""

    code = "downgrade_refused"

    def __init__(self, world_version: str) -> None:
        super().__init__(
            f"Version {world_version} has run this world, and an older one may damage it. Restore "
            'a backup from before with "with_version": true, or send "force": true.',
            world_version=world_version,
        )


class FeedUnavailable(ServiceUnavailable):
    """The feed of versions doesn't answer, and none of its earlier answers is stored."""

    code = "version_feed_unavailable"

    def __init__(self) -> None:
        super().__init__("The feed of game versions does not answer.", retry_after=60)


class DownloadFailed(BadGateway):
    """The download failed: host unreachable, archive too large, too slow, or on another host."""

    code = "download_failed"


class DigestMismatch(ArchiveError):
    """The archive isn't the one that the feed describes."""

    code = "digest_mismatch"
    detail = "The archive's MD5 is not the one that the feed names."


class NotAGameServer(ArchiveError):
    """The archive doesn't contain the game server of the requested version."""

    code = "archive_not_a_game_server"


class VersionRolledBack(Conflict):
    """The new version didn't become ready; the previous one runs again."""

    code = "version_rolled_back"
