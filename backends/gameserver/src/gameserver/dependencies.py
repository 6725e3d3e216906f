"""What routes of several domains ask for, found in the lifespan's state."""

from typing import Annotated

from fastapi import Depends
from fastapi.requests import HTTPConnection

from gameserver.audit.service import Audit
from gameserver.console.service import Console
from gameserver.events import Events
from gameserver.layout import Layout
from gameserver.process.game import Game
from gameserver.settings import GameServerSettings
from gameserver.versions.installation import Installed


def current_game(connection: HTTPConnection) -> Game:
    """Return the game."""
    game: Game = connection.state.game
    return game


def current_console(connection: HTTPConnection) -> Console:
    """Return the game's console."""
    return current_game(connection).console


def current_layout(connection: HTTPConnection) -> Layout:
    """Return the folders."""
    layout: Layout = connection.state.layout
    return layout


def current_events(connection: HTTPConnection) -> Events:
    """Return what tells of events."""
    events: Events = connection.state.events
    return events


def current_audit(connection: HTTPConnection) -> Audit:
    """Return what writes down who did what."""
    audit: Audit = connection.state.audit
    return audit


def current_installed(connection: HTTPConnection) -> Installed:
    """Return the installed versions."""
    installed: Installed = connection.state.installed
    return installed


def current_settings(connection: HTTPConnection) -> GameServerSettings:
    """Return the settings."""
    settings: GameServerSettings = connection.state.settings
    return settings


CurrentGame = Annotated[Game, Depends(current_game)]
CurrentConsole = Annotated[Console, Depends(current_console)]
CurrentLayout = Annotated[Layout, Depends(current_layout)]
CurrentEvents = Annotated[Events, Depends(current_events)]
CurrentAudit = Annotated[Audit, Depends(current_audit)]
CurrentInstalled = Annotated[Installed, Depends(current_installed)]
CurrentSettings = Annotated[GameServerSettings, Depends(current_settings)]
