from typing import Literal

from pydantic import AwareDatetime, BaseModel

FileKind = Literal["file", "folder", "link", "other"]


class FileEntry(BaseModel):
    """One entry of a folder. Links are listed, but never followed."""

    name: str
    kind: FileKind
    size: int
    changed_at: AwareDatetime


class Folder(BaseModel):
    """A folder below serverdata and its entries."""

    path: str
    entries: list[FileEntry]
