"""The errors of raw files."""

from bedplate.problems import (
    BadRequest,
    Conflict,
    ContentTooLarge,
    NotFound,
    ProblemError,
    ServiceUnavailable,
    UnprocessableContent,
)


class PathRefused(BadRequest):
    """A path that no file below serverdata could have."""

    code = "path_refused"


class FileMissing(NotFound):
    """There is no such file, or something else than a file or folder."""

    code = "file_not_found"
    detail = "There is no such file or folder."


class NotAFile(Conflict):
    """A link, a device, a hard link, or a folder where a file is meant."""

    code = "not_a_file"


class FileInUse(Conflict):
    """The running game holds the file, or rewrites it from memory."""

    code = "file_in_use"
    detail = "The running game uses this file: stop it first."


class FileTooLarge(ContentTooLarge):
    """More than may be read or written at once."""

    code = "file_too_large"


class NotText(UnprocessableContent):
    """Text was sent for a file that isn't UTF-8, or in another encoding."""

    code = "not_text"


class ConditionNeeded(ProblemError):
    """A change without `If-Match`, or `If-None-Match: *` for a new file (RFC 6585, section 3)."""

    status = 428
    code = "precondition_required"
    detail = "Send If-Match with the ETag that you read, or If-None-Match: * for a new file."


class FileNotWritten(ServiceUnavailable):
    """The disk is full or can't be written; the file is as it was."""

    code = "file_not_written"

    def __init__(self) -> None:
        super().__init__("The disk is full, or can't be written just now.", retry_after=60)
