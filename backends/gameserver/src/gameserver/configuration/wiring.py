import contextlib
import os
from collections.abc import AsyncIterator
from functools import partial
from typing import Annotated

from bedplate.documents import Document
from bedplate.state import from_state
from gameserver.config_file import ConfigFile
from gameserver.configuration.first_start import first_config, from_environment
from gameserver.configuration.schemas import SettingsQueue
from gameserver.configuration.server_settings import ServerSettings
from gameserver.configuration.service import Configuration
from gameserver.installed import InstalledVersions
from gameserver.layout import Layout
from gameserver.process.game import Game

CurrentConfiguration = Annotated[Configuration, from_state(Configuration)]
_LIKE_VERSION = "1.21.0"


@contextlib.asynccontextmanager
async def open_server_settings(
    layout: Layout, installed: InstalledVersions
) -> AsyncIterator[ServerSettings]:
    """Yield the settings' file, which is brought up to date before each start of the game.

    Raises `SettingsError` for a VS_CFG_ variable that no setting can take.
    """
    current = await installed.current()
    version = current.version if current is not None else _LIKE_VERSION
    changes = from_environment(os.environ)
    first = partial(first_config, layout.server_data, version)
    queue = Document(layout.state / "settings-queue.json", SettingsQueue, default=SettingsQueue)
    yield ServerSettings(ConfigFile(layout.server_config), queue, first, changes)


@contextlib.asynccontextmanager
async def open_configuration(
    layout: Layout, server_settings: ServerSettings, game: Game
) -> AsyncIterator[Configuration]:
    """Yield the settings of the game."""
    yield Configuration(server_settings, game, layout)
