"""What a manager keeps of the game for the one that follows it."""

from pydantic import BaseModel, Field

from bedplate.documents import Document
from gameserver.layout import Layout


class ProcessRecord(BaseModel):
    """Whether the game is wanted: a manager that starts again starts it again."""

    wanted: bool = Field(default=False, description="Whether the game should run")


def process_document(layout: Layout) -> Document[ProcessRecord]:
    """Return the document that holds the record."""
    return Document(layout.state / "process.json", ProcessRecord, default=ProcessRecord)
