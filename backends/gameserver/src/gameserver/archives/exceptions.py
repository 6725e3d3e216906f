"""What is wrong with an archive."""

from bedplate.problems import UnprocessableContent


class ArchiveError(UnprocessableContent):
    """An archive is not taken."""

    code = "archive_refused"


class DamagedArchive(ArchiveError):
    """An archive is cut, or isn't what its name says."""

    code = "archive_damaged"

    def __init__(self, detail: str = "The archive is damaged or incomplete.") -> None:
        super().__init__(detail)


class UnsafeArchive(ArchiveError):
    """An archive holds something that no honest one holds: a way out of its folder, a device."""

    code = "archive_unsafe"


class OversizeArchive(ArchiveError):
    """An archive unpacks to more than is allowed: files, or bytes."""

    code = "archive_too_large"
