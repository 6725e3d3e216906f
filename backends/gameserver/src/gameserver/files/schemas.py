"""What goes over the wire."""

from typing import Literal

from pydantic import AwareDatetime, BaseModel


class FileEntry(BaseModel):
    """One entry of a folder. A link is shown and never followed."""

    name: str
    kind: Literal["file", "folder", "link", "other"]
    size: int
    changed_at: AwareDatetime


class Folder(BaseModel):
    """What is in a folder below serverdata."""

    path: str
    entries: list[FileEntry]
