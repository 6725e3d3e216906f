"""What routes ask for."""

from typing import Annotated

from fastapi import Depends, Request

from gameserver.mods.library import ModLibrary


def current_mods(request: Request) -> ModLibrary:
    """Return the mods of this server."""
    mods: ModLibrary = request.state.mods
    return mods


CurrentMods = Annotated[ModLibrary, Depends(current_mods)]
