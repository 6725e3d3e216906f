"""A replacement is planned through before the first file moves."""

import os
import stat
from collections.abc import Mapping
from itertools import permutations
from pathlib import Path

from bedplate.documents.atomic import mode_of, sync_folder
from bedplate.documents.exceptions import ReplacementFailed, UnsuitableFile
from bedplate.documents.replacement import Replacement, Step


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
    folder = work if keep is None else _absolute(keep)
    asides: set[Path] = set()
    _refuse_overlaps(journal, replacements, staged_by_target, keep)
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
    while place in taken or os.path.lexists(place):
        number += 1
        place = folder / f"{Path(name).stem}-{number}{Path(name).suffix}"
    return place


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
