"""The errors of versions."""

from bedplate.problems import NotFound


class VersionNotInstalled(NotFound):
    """There is no such version on this server."""

    code = "version_not_installed"
    title = "Version Not Installed"

    def __init__(self, version: str) -> None:
        super().__init__("This version is not installed.")
        self.version = version
