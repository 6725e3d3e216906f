"""Changes of Mods/: all or nothing, recorded, and undone on demand.

Files and the manager's records of them are replaced together through one journal, so a crash at any
moment leaves both as before or both as after.
"""

import asyncio
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from bedplate import clock, ids
from bedplate.documents import FileTransactions, write_atomically
from gameserver.disk import sha256_of
from gameserver.mods.exceptions import ModFileConflict, ModFilesChanged, NoPreviousMods
from gameserver.mods.inventory import Inventory
from gameserver.mods.schemas import FileChange, Generation, ModsState, Record

_FILE_MODE = 0o644


@dataclass
class Change:
    """New content of files in Mods/, by name: the staged file, or None to remove it.

    `replaces` names the files of the mods that change: only these may be replaced. `records` are
    the new records by mod id; None removes one. `text` says it in one sentence.
    """

    text: str
    files: dict[str, Path | None] = field(default_factory=dict)
    replaces: set[str] = field(default_factory=set)
    records: dict[str, Record | None] = field(default_factory=dict)


class Changes:
    """Makes changes, and keeps what the last `max_kept` of them replaced in the folder `former`."""

    def __init__(
        self, inventory: Inventory, transactions: FileTransactions, former: Path, *, max_kept: int
    ) -> None:
        self._folder = inventory.folder.path
        self._document = inventory.document
        self._transactions = transactions
        self._former = former
        self._max_kept = max_kept

    async def make(self, change: Change, staging: Path, *, by: str) -> Generation:
        """Make a change. `staging` is the caller's folder on the file system of Mods/.

        Raises `ModFileConflict` when a new file would take the place of one that isn't part of the
        change, and `ReplacementFailed`; then nothing has changed.
        """
        state = await self._document.read()
        generation = await asyncio.to_thread(self._describe, change, state, by)
        state.generations.append(generation)
        former = self._former / generation.id
        await self._exchange(change.files, change.records, state, staging, keep=former)
        return generation

    async def undo(self, change_id: str | None, staging: Path, *, force: bool) -> str:
        """Restore the state before a change, and so undo those after it; None is the last one.

        Returns in words what was undone. Raises `NoPreviousMods`, and unless `force`
        `ModFilesChanged` when files that would be replaced were changed by hand since.
        """
        state = await self._document.read()
        undone = _from(state.generations, change_id)
        if not force:
            await asyncio.to_thread(self._refuse_changed, undone)
        files = await asyncio.to_thread(self._stage_former, undone, staging)
        records: dict[str, Record | None] = {}
        for generation in reversed(undone):
            records.update(generation.records)
        del state.generations[-len(undone) :]
        await self._exchange(files, records, state, staging, keep=None)
        return "Undone: " + "; ".join(generation.text for generation in reversed(undone))

    async def tidy(self) -> None:
        """Drop the oldest generations beyond `max_kept`, and the files that no generation needs."""
        async with self._document.change() as state:
            del state.generations[: max(0, len(state.generations) - self._max_kept)]
            kept = {generation.id for generation in state.generations}
        await asyncio.to_thread(_remove_others, self._former, kept)

    def _describe(self, change: Change, state: ModsState, by: str) -> Generation:
        present = {name for name in change.files if os.path.lexists(self._folder / name)}
        for name in present - change.replaces:
            raise ModFileConflict(name)
        return Generation(
            id=ids.token(16),
            at=clock.now(),
            by=by,
            text=change.text,
            files=[
                FileChange(
                    name=name,
                    former=name if name in present else None,
                    sha256=None if staged is None else sha256_of(staged),
                )
                for name, staged in change.files.items()
            ],
            records={mod_id: state.records.get(mod_id) for mod_id in change.records},
        )

    async def _exchange(
        self,
        files: Mapping[str, Path | None],
        records: Mapping[str, Record | None],
        state: ModsState,
        staging: Path,
        *,
        keep: Path | None,
    ) -> None:
        """Replace files and the document, with these records changed in `state`."""
        merged = {**state.records, **records}
        state.records = {mod_id: record for mod_id, record in merged.items() if record is not None}
        document = staging / "mods.json"
        content = state.model_dump_json(indent=2).encode()
        await asyncio.to_thread(write_atomically, document, content)
        await asyncio.to_thread(_make_readable, files)
        targets = {self._folder / name: staged for name, staged in files.items()}
        await self._transactions.replace({**targets, self._document.path: document}, keep=keep)
        await self.tidy()

    def _refuse_changed(self, undone: list[Generation]) -> None:
        """Raise `ModFilesChanged` if a file isn't what the last of these changes left."""
        last = {file.name: file.sha256 for generation in undone for file in generation.files}
        changed = [
            name for name, sha256 in last.items() if _sha256_now(self._folder / name) != sha256
        ]
        if changed:
            raise ModFilesChanged(sorted(changed))

    def _stage_former(self, undone: list[Generation], staging: Path) -> dict[str, Path | None]:
        """Return what each file was before the first of these changes, as staged copies."""
        first = {
            file.name: (generation.id, file.former)
            for generation in reversed(undone)
            for file in generation.files
        }
        staged: dict[str, Path | None] = {}
        for number, (name, (generation_id, former)) in enumerate(first.items()):
            if former is not None:
                staged[name] = copy = staging / f"former-{number}"
                _copy(self._former / generation_id / former, copy)
            elif os.path.lexists(self._folder / name):
                staged[name] = None
        return staged


def _from(generations: list[Generation], change_id: str | None) -> list[Generation]:
    """Return a change and all after it, the oldest first. Raises `NoPreviousMods`."""
    for number in reversed(range(len(generations))):
        if change_id is None or generations[number].id == change_id:
            return generations[number:]
    raise NoPreviousMods


def _copy(source: Path, target: Path) -> None:
    try:
        if source.is_dir() and not source.is_symlink():
            shutil.copytree(source, target, symlinks=True)
        else:
            shutil.copy2(source, target, follow_symlinks=False)
    except FileNotFoundError:
        raise NoPreviousMods from None


def _sha256_now(path: Path) -> str | None:
    """Return the hash of a file; "" for a folder or link, None for nothing."""
    if path.is_symlink() or not path.is_file():
        return "" if os.path.lexists(path) else None
    return sha256_of(path)


def _make_readable(files: Mapping[str, Path | None]) -> None:
    for staged in files.values():
        if staged is not None and staged.is_file() and not staged.is_symlink():
            staged.chmod(_FILE_MODE)


def _remove_others(folder: Path, kept: set[str]) -> None:
    if folder.is_dir():
        for entry in folder.iterdir():
            if entry.name not in kept:
                shutil.rmtree(entry, ignore_errors=True)
