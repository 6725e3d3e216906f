import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Final

from bedplate.conditional import Preconditions
from bedplate.problems import PreconditionFailed
from gameserver.files.exceptions import ConditionNeeded, FileInUse, FileMissing
from gameserver.files.schemas import FileEntry
from gameserver.files.text import keep_format
from gameserver.files.tree import FileTree, Names, etag_of, names_of
from gameserver.process.game import Game
from gameserver.status import AT_REST

_GAME_FILES: Final = frozenset({
    "saves", "playerdata", "mods", "logs", "cache", "backups", "backupsaves",
    "serverconfig.json", "servermagicnumbers.json",
})  # fmt: skip
_WORLDS: Final = (".vcdbs", ".vcdbs-wal", ".vcdbs-shm", ".vcdbs-journal")


class RawFiles:
    """Reads and edits files below serverdata, except those that the running game uses."""

    def __init__(self, tree: FileTree, game: Game) -> None:
        self._tree = tree
        self._game = game
        self._lock = asyncio.Lock()

    async def entries(self, path: str) -> list[FileEntry]:
        """Return the entries of a folder. Raises `InvalidPath`, `FileMissing`, `NotAFile`."""
        return await asyncio.to_thread(self._tree.entries, names_of(path))

    async def read(self, path: str) -> bytes:
        """Return a file's bytes. Also raises `FileTooLarge`, and `FileInUse` for a live world."""
        names = names_of(path)
        if _is_world(names) and self._is_up():
            raise FileInUse
        return await asyncio.to_thread(self._tree.read, names)

    async def write(
        self, path: str, content: bytes, condition: Preconditions, *, as_text: bool
    ) -> str:
        """Replace the file that was read, or create one, and return its ETag.

        Also raises `ConditionNeeded`, `PreconditionFailed`, `NotText`, `FileInUse`, `GameBusy`.
        """
        names = names_of(path)
        async with self._exclusive(names):
            former = await asyncio.to_thread(self._tree.find, names)
            _check(former, condition)
            if as_text:
                content = keep_format(former, content)
            await asyncio.to_thread(self._tree.write, names, content)
            return etag_of(content)

    async def delete(self, path: str, condition: Preconditions) -> None:
        """Delete the file that was read. Raises what `write` raises, and `FileMissing`."""
        names = names_of(path)
        async with self._exclusive(names):
            former = await asyncio.to_thread(self._tree.read, names)
            if condition.if_match is None:
                raise ConditionNeeded
            _check(former, condition)
            await asyncio.to_thread(self._tree.delete, names)

    @contextlib.asynccontextmanager
    async def _exclusive(self, names: Names) -> AsyncIterator[None]:
        """Allow one change at a time, and keep the game stopped if it uses the file."""
        async with self._lock:
            # The running game keeps these files open, or rewrites them from memory.
            if not (names and (names[0].casefold() in _GAME_FILES or _is_world(names))):
                yield
            elif self._is_up():
                raise FileInUse
            else:
                async with self._game.exclusive("an edit of a file"):
                    yield

    def _is_up(self) -> bool:
        return self._game.status.state not in AT_REST


def _check(former: bytes | None, condition: Preconditions) -> None:
    """Raise unless the file is the one that the client has read, or a new one doesn't exist."""
    if condition.if_match is None and condition.if_none_match is None:
        raise ConditionNeeded
    if condition.if_match is not None:
        if former is None:
            raise FileMissing
        if not condition.if_match.matches_strongly(etag_of(former)):
            raise PreconditionFailed
    if condition.if_none_match is not None and former is not None:
        raise PreconditionFailed


def _is_world(names: Names) -> bool:
    return bool(names) and names[-1].casefold().endswith(_WORLDS)
