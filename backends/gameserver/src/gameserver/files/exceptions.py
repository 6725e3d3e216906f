from bedplate.problems import (
    BadRequest,
    Conflict,
    ContentTooLarge,
    NotFound,
    ProblemError,
    ServiceUnavailable,
    UnprocessableContent,
)


class InvalidPath(BadRequest):
    """A path that no file below serverdata can have."""

    code = "invalid_path"


class FileMissing(NotFound):
    """There is no such file or folder."""

    code = "file_not_found"
    detail = "There is no such file or folder."


class NotAFile(Conflict):
    """The path leads to a folder, link, device or hard link instead of a regular file."""

    code = "not_a_file"


class FileInUse(Conflict):
    """The running game keeps the file open, or rewrites it from memory."""

    code = "file_in_use"
    detail = "The running game uses this file: stop it first."


class FileTooLarge(ContentTooLarge):
    """The file has more bytes than can be read or written."""

    code = "file_too_large"


class NotText(UnprocessableContent):
    """The text, or the file that it replaces, isn't UTF-8."""

    code = "not_text"


class ConditionNeeded(ProblemError):
    """A change needs `If-Match`, or `If-None-Match: *` for a new file (RFC 6585, section 3)."""

    status = 428
    code = "precondition_required"
    detail = "Send If-Match with the ETag that you read, or If-None-Match: * for a new file."


class FileWriteFailed(ServiceUnavailable):
    """The disk is full or can't be written; the file is unchanged."""

    code = "file_write_failed"
    detail = "The disk is full, or can't be written just now."
