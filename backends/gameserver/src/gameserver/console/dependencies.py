"""What routes ask for."""

from typing import Annotated

from fastapi import Depends
from fastapi.requests import HTTPConnection

from gameserver.console.tickets import Connections


def current_connections(connection: HTTPConnection) -> Connections:
    """Return who follows the console."""
    connections: Connections = connection.state.console_connections
    return connections


CurrentConnections = Annotated[Connections, Depends(current_connections)]
