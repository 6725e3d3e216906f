"""What is written down of a switch while it is under way."""

from enum import StrEnum

from pydantic import BaseModel

from bedplate.documents import Document
from gameserver.layout import Layout


class SwitchStep(StrEnum):
    """How far a switch is: what a manager that finds it unfinished has to do depends on it."""

    PREPARED = "prepared"
    TRYING = "trying"
    RETURNING = "returning"


class SwitchJournal(BaseModel):
    """The switch that is under way; empty between two.

    before   the version that is left; its return is the way back
    backup   of the world as that version left it
    world_version   newest version that had run the world until then
    """

    to: str | None = None
    before: str | None = None
    backup: str | None = None
    world_version: str | None = None
    step: SwitchStep = SwitchStep.PREPARED


def switch_document(layout: Layout) -> Document[SwitchJournal]:
    """Return the document of the switch that is under way."""
    return Document(layout.state / "switch.json", SwitchJournal, default=SwitchJournal)
