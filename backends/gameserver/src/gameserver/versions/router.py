from functools import partial
from typing import Annotated

from fastapi import APIRouter, Path, Query

from bedplate.openapi import errors
from bedplate.schemas import QueryBool
from gameserver.installed import VersionNotInstalled
from gameserver.operations.exceptions import OperationInProgress, OperationInterrupted
from gameserver.operations.schemas import Operation
from gameserver.operations.wiring import Accepted
from gameserver.security import CurrentAdmin, CurrentMonitor
from gameserver.version_numbers import PATTERN
from gameserver.versions.exceptions import (
    DowngradeRefused,
    FeedUnavailable,
    VersionInstalled,
    VersionInUse,
    VersionNotOffered,
)
from gameserver.versions.schemas import NewSwitch, VersionList
from gameserver.versions.wiring import CurrentVersions

router = APIRouter(prefix="/versions", tags=["versions"])
_begin = partial(router.post, status_code=202)
"""The decorator of a route that begins long work: it returns the operation to poll."""

_WORK_ERRORS = (VersionNotOffered, FeedUnavailable, OperationInProgress, OperationInterrupted)
_INSTALL_ERRORS = errors(VersionInstalled, *_WORK_ERRORS)
_SWITCH_ERRORS = errors(VersionInUse, DowngradeRefused, *_WORK_ERRORS)

Version = Annotated[str, Path(pattern=f"^{PATTERN}$", description="Such as 1.22.7 or 1.22.0-rc.3")]


@router.get("", summary="List versions of the game, newest first")
async def list_versions(
    versions: CurrentVersions,
    _: CurrentMonitor,
    refresh: Annotated[QueryBool, Query(description="Ask the feed now")] = False,
) -> VersionList:
    """Return the offered and the installed versions; offline, the last known ones."""
    return await versions.versions.list(refresh=refresh)


@_begin("/{version}/install", responses=_INSTALL_ERRORS, summary="Install a version")
async def install_version(
    version: Version, versions: CurrentVersions, admin: CurrentAdmin, accepted: Accepted
) -> Operation:
    """Download a version and install it beside others. The first one becomes current."""
    return accepted(await versions.versions.start_install(version, by=admin.id))


@_begin("/{version}/switch", responses=_SWITCH_ERRORS, summary="Upgrade or downgrade to a version")
async def switch_version(
    version: Version,
    versions: CurrentVersions,
    admin: CurrentAdmin,
    accepted: Accepted,
    options: NewSwitch | None = None,
) -> Operation:
    """Install if needed, stop, back up, switch, start; roll back if it doesn't become ready."""
    return accepted(await versions.switcher.start(version, options or NewSwitch(), by=admin.id))


@router.delete(
    "/{version}",
    status_code=204,
    responses=errors(VersionNotInstalled, VersionInUse),
    summary="Delete an installed version",
)
async def delete_version(version: Version, versions: CurrentVersions, _: CurrentAdmin) -> None:
    """Delete a version other than the current one."""
    await versions.versions.delete(version)
