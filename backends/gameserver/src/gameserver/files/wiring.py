import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Annotated

from bedplate.state import from_state
from gameserver.files.service import RawFiles
from gameserver.files.tree import FileTree
from gameserver.layout import Layout
from gameserver.process.game import Game

CurrentFiles = Annotated[RawFiles, from_state(RawFiles)]


@contextlib.asynccontextmanager
async def open_files(layout: Layout, game: Game) -> AsyncIterator[RawFiles]:
    """Yield the raw files of the game."""
    tree = FileTree(layout.server_data)
    await asyncio.to_thread(tree.tidy)
    yield RawFiles(tree, game)
