from bedplate.problems import UnprocessableContent


class ArchiveError(UnprocessableContent):
    """An archive is refused."""

    code = "archive_refused"


class DamagedArchive(ArchiveError):
    """An archive is truncated, or isn't of the format that its name says."""

    code = "archive_damaged"
    detail = "The archive is damaged or incomplete."


class UnsafeArchive(ArchiveError):
    """An archive contains what no honest one does: a path out of its folder, or a device."""

    code = "archive_unsafe"


class OversizeArchive(ArchiveError):
    """An archive unpacks to more files or bytes than are allowed."""

    code = "archive_too_large"
