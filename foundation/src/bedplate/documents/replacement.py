"""The steps of one replacement, and how each is finished or undone from whatever state it is in.

Where a step stands is seen from what exists, so nothing is written between two renames:

    old one    target    staged
    target     old       there       not begun
    aside      nothing   there       the old one is out of the way
    aside      new       nothing     finished
"""

import os
from os.path import lexists
from pathlib import Path

from pydantic import BaseModel

from bedplate import ids
from bedplate.documents.atomic import sync_folder


class Step(BaseModel):
    """One target; paths are relative to the journal, so that the whole tree may move.

    target: what is replaced, or made when it didn't exist (`existed`).
    staged: what takes its place; None removes the target.
    aside: where the old one goes.
    """

    target: str
    staged: str | None
    aside: str
    existed: bool


class Replacement(BaseModel):
    """The journal's entry for one replacement; it is deleted when the replacement has ended."""

    steps: list[Step]


class Steps:
    """Carries out a replacement; `work` is a folder of the journal for what has no other place."""

    def __init__(self, journal: Path, replacement: Replacement, work: Path) -> None:
        self._steps = [_Renames(journal, step, work) for step in replacement.steps]

    @property
    def targets(self) -> str:
        """The names of the targets, for a sentence."""
        return ", ".join(step.target.name for step in self._steps)

    def can_finish(self) -> bool:
        """Whether everything that is still to be put in place exists."""
        return all(step.can_finish() for step in self._steps)

    def finish(self) -> None:
        """Put everything in place; raises OSError."""
        for step in self._steps:
            step.finish()
        self._sync()

    def undo(self) -> None:
        """Put everything back; raises OSError."""
        for step in reversed(self._steps):
            step.undo()
        self._sync()

    def _sync(self) -> None:
        for folder in sorted({folder for step in self._steps for folder in step.folders()}):
            if folder.is_dir():
                sync_folder(folder)


class _Renames:
    """One step; each of its renames is done only where it has not been done yet."""

    def __init__(self, journal: Path, step: Step, work: Path) -> None:
        self.target = _path(journal, step.target)
        self._staged = None if step.staged is None else _path(journal, step.staged)
        self._aside = _path(journal, step.aside)
        self._existed = step.existed
        self._work = work

    def folders(self) -> set[Path]:
        """Return the folders whose entries change."""
        staged = set() if self._staged is None else {self._staged.parent}
        return {self.target.parent, self._aside.parent, self._work, *staged}

    def can_finish(self) -> bool:
        """Whether the new one exists: staged, or in its place already."""
        return self._staged is None or lexists(self._staged) or self._in_place()

    def finish(self) -> None:
        """Put the old one aside and the new one in its place."""
        if self._existed and not lexists(self._aside) and lexists(self.target):
            self.target.rename(self._aside)
        if self._staged is not None and lexists(self._staged):
            self._make_room()
            self._staged.rename(self.target)

    def undo(self) -> None:
        """Put the new one back to where it was staged, and the old one to its place."""
        if self._staged is not None and not lexists(self._staged) and self._in_place():
            if self._staged.parent.is_dir():
                self.target.rename(self._staged)
            else:
                self._make_room()
        if self._existed and lexists(self._aside):
            self._make_room()
            self._aside.rename(self.target)

    def _in_place(self) -> bool:
        return lexists(self.target) and (not self._existed or lexists(self._aside))

    def _make_room(self) -> None:
        """Take away what stands in the target's place: somebody else made it meanwhile."""
        if lexists(self.target):
            self._work.mkdir(exist_ok=True)
            self.target.rename(self._work / f"found-{ids.token(8)}")


def _path(journal: Path, relative: str) -> Path:
    return Path(os.path.normpath(journal / relative))
