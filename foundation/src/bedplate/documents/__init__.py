"""State in files: Pydantic models in JSON, written atomically; files exchanged all or none."""

from bedplate.documents.atomic import write_atomically
from bedplate.documents.document import Document, etag
from bedplate.documents.exceptions import (
    DamagedDocument,
    DocumentError,
    ExchangeFailed,
    UnsuitableFile,
    WriteFailed,
)
from bedplate.documents.swaps import FileTransactions

__all__ = [
    "DamagedDocument",
    "Document",
    "DocumentError",
    "ExchangeFailed",
    "FileTransactions",
    "UnsuitableFile",
    "WriteFailed",
    "etag",
    "write_atomically",
]
