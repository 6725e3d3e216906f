"""The parts of this domain, opened in the lifespan: the file before the game, the rest after."""

import contextlib
import os
from collections.abc import AsyncIterator

from bedplate.backend import Resources
from bedplate.documents import Document
from gameserver.configuration.changes import Configuration
from gameserver.configuration.config_file import ConfigFile
from gameserver.configuration.defaults import defaults
from gameserver.configuration.first_start import from_environment
from gameserver.configuration.queue import SettingsQueue
from gameserver.configuration.server_settings import ServerSettings
from gameserver.layout import Layout
from gameserver.settings import GameServerSettings
from gameserver.versions.installation import Installed

_LIKE_VERSION = "1.21.0"


@contextlib.asynccontextmanager
async def open_server_settings(
    _: GameServerSettings, resources: Resources
) -> AsyncIterator[ServerSettings]:
    """Yield the settings' file, which is brought up to date before each start of the game.

    Raises `SettingsError` for a VS_CFG_ variable that no setting can take.
    """
    layout: Layout = resources["layout"]
    installed: Installed = resources["installed"]
    current = await installed.current()
    version = current.version if current is not None else _LIKE_VERSION
    queue = Document(layout.state / "settings-queue.json", SettingsQueue, default=SettingsQueue)
    yield ServerSettings(
        ConfigFile(layout.server_config),
        queue,
        from_environment(os.environ),
        lambda: defaults(layout.server_data, version),
    )


@contextlib.asynccontextmanager
async def open_configuration(
    _: GameServerSettings, resources: Resources
) -> AsyncIterator[Configuration]:
    """Yield the settings of the game."""
    layout: Layout = resources["layout"]
    whitelist = layout.server_data / "Playerdata" / "playerswhitelisted.json"
    yield Configuration(resources["server_settings"], resources["game"], whitelist)
