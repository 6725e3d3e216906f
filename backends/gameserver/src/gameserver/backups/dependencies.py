"""What routes ask for."""

from typing import Annotated

from fastapi import Depends
from fastapi.requests import HTTPConnection

from gameserver.backups.opening import BackupParts


def current_backups(connection: HTTPConnection) -> BackupParts:
    """Return what makes, keeps and restores backups."""
    parts: BackupParts = connection.state.backups
    return parts


CurrentBackups = Annotated[BackupParts, Depends(current_backups)]
