"""A replacement is planned through before the first file moves."""

import os
import stat
from collections.abc import Mapping
from itertools import permutations
from pathlib import Path

from bedplate.documents.atomic import sync_folder
from bedplate.documents.exceptions import ReplacementFailed, UnsuitableFile, reason_of
from bedplate.documents.replacement import Replacement, Step


def plan(
    journal: Path, replacements: Mapping[Path, Path | None], keep: Path | None, work: Path
) -> Replacement:
    """Return the steps of a replacement.

    `work` is the folder for what was replaced when nothing is kept. Raises `ReplacementFailed` and
    `UnsuitableFile` for what can't be renamed, ValueError for paths that overlap.
    """
    wanted = {_absolute(target): staged for target, staged in replacements.items()}
    staged_by_target = {t: None if s is None else _absolute(s) for t, s in wanted.items()}
    asides = _Asides(work if keep is None else _absolute(keep), numbered=keep is None)
    _refuse_overlaps(journal, replacements, staged_by_target, keep)
    steps = []
    for target, staged in staged_by_target.items():
        existed = _kind(target)
        _check(journal, target, staged, asides.folder)
        if existed or staged is not None:
            aside = asides.place_for(target)
            steps.append(_step(journal, target, staged, aside, existed=existed))
    return Replacement(steps=steps)


def sync_staged(replacements: Mapping[Path, Path | None]) -> None:
    """Bring what is staged to the disk: a rename may be durable before the content is."""
    for staged in replacements.values():
        if staged is not None:
            _sync(staged)


class _Asides:
    """Where the old ones go: under their own names, or numbered when they are thrown away."""

    def __init__(self, folder: Path, *, numbered: bool) -> None:
        self.folder = folder
        self._numbered = numbered
        self._taken: set[Path] = set()

    def place_for(self, target: Path) -> Path:
        """Return a path that nothing has."""
        name = Path(str(len(self._taken))) if self._numbered else Path(target.name)
        place, number = self.folder / name, 1
        while place in self._taken or os.path.lexists(place):
            number += 1
            place = self.folder / f"{name.stem}-{number}{name.suffix}"
        self._taken.add(place)
        return place


def _step(journal: Path, target: Path, staged: Path | None, aside: Path, *, existed: bool) -> Step:
    return Step(
        target=os.path.relpath(target, journal),
        staged=None if staged is None else os.path.relpath(staged, journal),
        aside=os.path.relpath(aside, journal),
        existed=existed,
    )


def _absolute(path: Path) -> Path:
    return path.parent.resolve() / path.name


def _refuse_overlaps(
    journal: Path,
    replacements: Mapping[Path, Path | None],
    staged_by_target: Mapping[Path, Path | None],
    keep: Path | None,
) -> None:
    """Raise ValueError when a path is named twice, or lies within another."""
    staged = [path for path in staged_by_target.values() if path is not None]
    moved = [*staged_by_target, *staged]
    if len(staged_by_target) < len(replacements) or len(set(moved)) < len(moved):
        raise ValueError("A path is named twice in one replacement.")
    fixed = [journal] if keep is None else [journal, _absolute(keep)]
    pairs = [*permutations(moved, 2), *((inner, outer) for inner in fixed for outer in moved)]
    for inner, outer in pairs:
        if inner == outer or outer in inner.parents:
            raise ValueError(f"{inner} lies within {outer}, which is replaced.")


def _check(journal: Path, target: Path, staged: Path | None, aside: Path) -> None:
    """Refuse what renames can't do."""
    device = journal.stat().st_dev
    if not target.parent.is_dir():
        raise ReplacementFailed(target, "its folder does not exist.")
    if staged is not None and not _kind(staged):
        raise ReplacementFailed(staged, "does not exist, and was to be put in place.")
    for path in (target.parent, aside) if staged is None else (target.parent, staged, aside):
        if path.lstat().st_dev != device:
            raise ReplacementFailed(path, "lies on another file system than the journal.")


def _kind(path: Path) -> bool:
    """Return whether there is a file or a folder; raises `UnsuitableFile` for anything else."""
    try:
        kind = path.lstat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError as error:
        raise UnsuitableFile(path, f"can't be looked at, {reason_of(error)}.") from error
    if not stat.S_ISREG(kind) and not stat.S_ISDIR(kind):
        raise UnsuitableFile(path, "is neither a file nor a folder.")
    return True


def _sync(path: Path) -> None:
    if not path.is_dir():
        _sync_file(path)
        return
    for folder, _, files in os.walk(path):
        for name in files:
            _sync_file(Path(folder, name))
        sync_folder(Path(folder))


def _sync_file(path: Path) -> None:
    if not stat.S_ISREG(path.lstat().st_mode):
        return
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
