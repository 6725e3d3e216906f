"""What routes ask for, and what the lifespan opens for them."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import Depends, Request

from bedplate.backend import Resources
from gameserver.files.raw_files import RawFiles
from gameserver.files.tree import FileTree
from gameserver.layout import Layout
from gameserver.settings import GameServerSettings


@contextlib.asynccontextmanager
async def open_files(_: GameServerSettings, resources: Resources) -> AsyncIterator[RawFiles]:
    """Yield the raw files of the game."""
    layout: Layout = resources["layout"]
    tree = FileTree(layout.server_data)
    await asyncio.to_thread(tree.tidy)
    yield RawFiles(tree, resources["game"])


def current_files(request: Request) -> RawFiles:
    """Return the raw files of the game."""
    files: RawFiles = request.state.files
    return files


CurrentFiles = Annotated[RawFiles, Depends(current_files)]
