"""State in files: Pydantic models in JSON, written atomically; files replaced all or none."""

from bedplate.documents.atomic import write_atomically
from bedplate.documents.document import Document, etag
from bedplate.documents.exceptions import (
    DamagedDocument,
    DocumentError,
    ReplacementFailed,
    UnsuitableFile,
    WriteFailed,
)
from bedplate.documents.transactions import FileTransactions

__all__ = [
    "DamagedDocument",
    "Document",
    "DocumentError",
    "FileTransactions",
    "ReplacementFailed",
    "UnsuitableFile",
    "WriteFailed",
    "etag",
    "write_atomically",
]
