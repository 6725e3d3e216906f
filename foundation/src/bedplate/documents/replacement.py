"""One replacement: planned through before the first file moves, then finished or undone.

Where a step stands is seen from what exists, so nothing is written between two renames:

    old one    target    staged
    target     old       there       not begun
    aside      nothing   there       the old one is out of the way
    aside      new       nothing     finished
"""

import os
import stat
from collections.abc import Mapping
from itertools import permutations
from os.path import lexists
from pathlib import Path

from pydantic import BaseModel

from bedplate import ids
from bedplate.documents.atomic import mode_of, sync_folder
from bedplate.documents.exceptions import ReplacementFailed, UnsuitableFile


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


def plan(
    journal: Path, replacements: Mapping[Path, Path | None], keep: Path | None, work: Path
) -> Replacement:
    """Return the steps of a replacement.

    `work` is the folder for what was replaced when nothing is kept. Raises `ReplacementFailed` and
    `UnsuitableFile` for what can't be renamed, ValueError for paths that overlap.
    """
    staged_by_target = {
        _absolute(target): staged and _absolute(staged) for target, staged in replacements.items()
    }
    moved = [*staged_by_target, *filter(None, staged_by_target.values())]
    if len(staged_by_target) < len(replacements) or len(set(moved)) < len(moved):
        raise ValueError("A path is named twice in one replacement.")
    folder = work if keep is None else _absolute(keep)
    _refuse_overlaps(moved, [journal, folder])
    asides: set[Path] = set()
    steps = []
    for target, staged in staged_by_target.items():
        existed = _exists(target)
        _check(journal, target, staged, folder)
        if existed or staged is not None:
            # What is thrown away is numbered, what is kept has its own name.
            aside = _free_place(folder, str(len(asides)) if keep is None else target.name, asides)
            asides.add(aside)
            steps.append(
                Step(
                    target=os.path.relpath(target, journal),
                    staged=staged and os.path.relpath(staged, journal),
                    aside=os.path.relpath(aside, journal),
                    existed=existed,
                )
            )
    return Replacement(steps=steps)


def sync_tree(path: Path) -> None:
    """Bring a file or a folder to the disk: a rename may be durable before the content is."""
    if not path.is_dir():
        _sync_file(path)
        return
    for folder, _, files in os.walk(path):
        for name in files:
            _sync_file(Path(folder, name))
        sync_folder(Path(folder))


def _free_place(folder: Path, name: str, taken: set[Path]) -> Path:
    """Return a path in `folder` that nothing has, under this name or a similar one."""
    place, number = folder / name, 1
    while place in taken or lexists(place):
        number += 1
        place = folder / f"{Path(name).stem}-{number}{Path(name).suffix}"
    return place


def _absolute(path: Path) -> Path:
    return path.parent.resolve() / path.name


def _refuse_overlaps(moved: list[Path], fixed: list[Path]) -> None:
    """Raise ValueError when one of all these paths lies within one that is moved."""
    pairs = [*permutations(moved, 2), *((inner, outer) for inner in fixed for outer in moved)]
    for inner, outer in pairs:
        if inner == outer or outer in inner.parents:
            raise ValueError(f"{inner} lies within {outer}, which is replaced.")


def _check(journal: Path, target: Path, staged: Path | None, aside: Path) -> None:
    """Refuse what renames can't do."""
    device = journal.stat().st_dev
    if not target.parent.is_dir():
        raise ReplacementFailed(target, "its folder does not exist.")
    if staged is not None and not _exists(staged):
        raise ReplacementFailed(staged, "does not exist, and was to be put in place.")
    for path in (target.parent, aside) if staged is None else (target.parent, staged, aside):
        if path.lstat().st_dev != device:
            raise ReplacementFailed(path, "lies on another file system than the journal.")


def _exists(path: Path) -> bool:
    """Return whether there is a file or a folder; raises `UnsuitableFile` for anything else."""
    mode = mode_of(path)
    if mode is not None and not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):
        raise UnsuitableFile(path, "is neither a file nor a folder.")
    return mode is not None


def _sync_file(path: Path) -> None:
    if not stat.S_ISREG(path.lstat().st_mode):
        return
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


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
