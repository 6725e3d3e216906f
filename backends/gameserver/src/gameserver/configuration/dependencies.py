"""What routes ask for."""

from typing import Annotated

from fastapi import Depends, Request

from gameserver.configuration.changes import Configuration


def current_configuration(request: Request) -> Configuration:
    """Return the settings of the game."""
    configuration: Configuration = request.state.configuration
    return configuration


CurrentConfiguration = Annotated[Configuration, Depends(current_configuration)]
