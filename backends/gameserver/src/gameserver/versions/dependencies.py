"""What routes ask for."""

from typing import Annotated

from fastapi import Depends
from fastapi.requests import HTTPConnection

from gameserver.versions.opening import VersionParts


def current_versions(connection: HTTPConnection) -> VersionParts:
    """Return what lists, installs and switches versions."""
    parts: VersionParts = connection.state.versions
    return parts


CurrentVersions = Annotated[VersionParts, Depends(current_versions)]
