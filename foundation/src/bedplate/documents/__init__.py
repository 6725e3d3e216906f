"""State in files: Pydantic models in JSON, written atomically; files exchanged all or none."""

from bedplate.documents.atomic import write_atomically
from bedplate.documents.document import Document, etag
from bedplate.documents.errors import (
    DamagedDocument,
    DocumentError,
    ExchangeFailed,
    UnsuitableFile,
    WriteFailed,
)
from bedplate.documents.swaps import Swaps

__all__ = [
    "DamagedDocument",
    "Document",
    "DocumentError",
    "ExchangeFailed",
    "Swaps",
    "UnsuitableFile",
    "WriteFailed",
    "etag",
    "write_atomically",
]
