"""Several files or folders replaced together: all or none, also when the process is killed."""

import contextlib
import shutil
from collections.abc import Mapping
from pathlib import Path

from bedplate import ids
from bedplate.documents.atomic import remove_leftovers, sync_folder
from bedplate.documents.document import ModelFile
from bedplate.documents.exceptions import ReplacementFailed, reason_of
from bedplate.documents.locks import lock_of
from bedplate.documents.replacement import Replacement, Steps, plan, sync_tree
from bedplate.documents.threads import finish_in_thread

_SUFFIX = ".json"


class FileTransactions:
    """Replaces files and folders by staged ones, through a journal.

    Each one is renamed, which needs no room and no time. Before the first rename the journal says
    what is going to happen; `recover` reads it after a crash. Several renames are not one moment:
    whoever reads the targets meanwhile may see some old and some new.
    """

    def __init__(self, journal: Path) -> None:
        """Take the journal: a folder on the targets' file system, for one process at a time."""
        self._journal = journal
        self._lock = lock_of(journal)

    async def replace(
        self, replacements: Mapping[Path, Path | None], *, keep: Path | None = None
    ) -> None:
        """Put a staged file or folder in the place of each target; None removes the target.

        A target need not exist yet. `keep` is the folder that what was replaced moves to, under
        its own or a similar free name; without it that is removed. Cancelled, it is carried to its
        end. Raises `ReplacementFailed` when the system refuses and `UnsuitableFile` for links and
        devices, and all is as before; ValueError for paths that overlap.
        """
        async with self._lock:
            await finish_in_thread(lambda: self._replace(replacements, keep))

    async def recover(self) -> list[str]:
        """Finish or undo what a killed process left, and say in words what was done.

        To be called at start, before staged files are tidied away: what can't be finished without
        them is undone. Killed itself, it can be called again. Raises `ReplacementFailed` when the
        system refuses both.
        """
        async with self._lock:
            return await finish_in_thread(self._recover)

    def _replace(self, replacements: Mapping[Path, Path | None], keep: Path | None) -> None:
        self._recover()
        journal = self._journal.resolve()
        entry = journal / f"{ids.token(8)}{_SUFFIX}"
        work = _work_of(entry)
        try:
            work.mkdir()
            if keep is not None:
                keep.mkdir(parents=True, exist_ok=True)
            replacement = plan(journal, replacements, keep, work)
            for staged in filter(None, replacements.values()):
                sync_tree(staged)
            ModelFile(entry, Replacement).write(replacement)
        except BaseException as error:
            _remove_work(work)
            if not isinstance(error, OSError):
                raise
            raise ReplacementFailed(journal, f"can't replace files, {reason_of(error)}.") from error
        self._carry_out(entry, replacement)

    def _carry_out(self, entry: Path, replacement: Replacement) -> None:
        steps = Steps(entry.parent, replacement, _work_of(entry))
        try:
            steps.finish()
        except OSError as error:
            _undo(steps, entry)
            _close(entry)
            reason = reason_of(error)
            raise ReplacementFailed(
                entry, f"{steps.targets} can't be replaced, {reason}."
            ) from error
        _close(entry)

    def _recover(self) -> list[str]:
        try:
            self._journal.mkdir(parents=True, exist_ok=True)
            journal = self._journal.resolve()
            entries = [path for path in sorted(journal.iterdir()) if path.suffix == _SUFFIX]
            done = [_finish_or_undo(entry) for entry in entries]
            for path in journal.iterdir():
                _tidy(path)
        except OSError as error:
            reason = reason_of(error)
            raise ReplacementFailed(self._journal, f"can't be gone through, {reason}.") from error
        return done


def _finish_or_undo(entry: Path) -> str:
    replacement = ModelFile(entry, Replacement).read() or Replacement(steps=[])
    steps = Steps(entry.parent, replacement, _work_of(entry))
    done = "Undid"
    if steps.can_finish():
        with contextlib.suppress(OSError):
            steps.finish()
            done = "Finished"
    if done == "Undid":
        _undo(steps, entry)
    _close(entry)
    return f"{done} the replacement of {steps.targets}, which a crash had interrupted."


def _undo(steps: Steps, entry: Path) -> None:
    try:
        steps.undo()
    except OSError as error:
        raise ReplacementFailed(
            entry,
            f"{steps.targets} could neither be replaced nor restored, {reason_of(error)}; "
            "put that right and start again, which carries on from here.",
        ) from error


def _close(entry: Path) -> None:
    """Take an entry out of the journal: from here on nothing is finished or undone any more."""
    entry.unlink()
    sync_folder(entry.parent)
    _remove_work(_work_of(entry))


def _work_of(entry: Path) -> Path:
    return entry.with_suffix("")


def _remove_work(work: Path) -> None:
    """Remove it as far as possible; the next recovery removes the rest."""
    shutil.rmtree(work, ignore_errors=True)


def _tidy(path: Path) -> None:
    """Remove what a replacement that is at its end, or had not begun, left in the journal."""
    if path.is_dir():
        _remove_work(path)
    elif path.suffix == ".tmp":
        remove_leftovers(path.with_name(path.name.removeprefix(".").rsplit(".", 2)[0]))
