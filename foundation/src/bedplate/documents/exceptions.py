"""What can go wrong with files that hold state.

DocumentError                 503
├── DamagedDocument           what the file holds can't be read
├── UnsuitableFile            a link, a folder or a device where a file is expected
├── WriteFailed               the disk is full, read-only, …
└── ReplacementFailed         files could not be replaced
"""

import errno
from pathlib import Path

from bedplate.problems import ServiceUnavailable

_REASONS = {
    errno.ENOSPC: "the disk is full",
    errno.EDQUOT: "the disk quota is used up",
    errno.EROFS: "the file system is read-only",
    errno.EACCES: "permission is denied",
    errno.EPERM: "permission is denied",
    errno.ENOENT: "its folder does not exist",
    errno.ENOTDIR: "its folder does not exist",
    errno.ENAMETOOLONG: "its name is too long",
    errno.EXDEV: "it lies on another file system",
    errno.EIO: "the disk reports a failure",
    errno.EFBIG: "it is larger than the file system takes",
    errno.EMFILE: "too many files are open",
    errno.ENFILE: "too many files are open",
    errno.ELOOP: "it is a symbolic link",
}


class DocumentError(ServiceUnavailable):
    """State that lies in files can't be read or written.

    A client sees the file's name, `str(error)` shows its whole path. `retry_after` is in seconds.
    """

    code = "document_error"
    title = "State Unavailable"

    def __init__(self, path: Path, detail: str) -> None:
        super().__init__(f"{path.name}: {detail}", retry_after=30)
        self.path = path
        self.args = (f"{path}: {detail}",)


class DamagedDocument(DocumentError):
    """A document doesn't hold what it should; it stays as it is until a person decides."""

    code = "damaged_document"

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(
            path,
            f"{reason}. It was left as it is: correct it, put a copy in its place, "
            "or move it away to begin afresh.",
        )


class UnsuitableFile(DocumentError):
    """Something else than an ordinary file lies where one is expected."""

    code = "unsuitable_file"


class WriteFailed(DocumentError):
    """A file could not be written; what it held before is still there."""

    code = "write_failed"


class ReplacementFailed(DocumentError):
    """Files could not be replaced; every one is as it was before."""

    code = "replacement_failed"


def reason_of(error: OSError) -> str:
    """Return in words why the system refused; without the paths that `str(error)` shows."""
    return _REASONS.get(error.errno or 0) or (error.strerror or "the system refused").lower()
