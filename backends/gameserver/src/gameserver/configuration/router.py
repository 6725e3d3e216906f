from fastapi import APIRouter, Response

from bedplate.conditional import IfMatch, IfNoneMatch
from bedplate.openapi import errors
from bedplate.problems import PreconditionFailed
from gameserver.config_file import SettingsUnreadable
from gameserver.configuration.exceptions import NoSettingsYet
from gameserver.configuration.keys import SettingsPatch
from gameserver.configuration.schemas import GameSettings, SettingsChanged
from gameserver.configuration.wiring import CurrentConfiguration
from gameserver.process.exceptions import GameBusy
from gameserver.security import ADMIN, CurrentAdmin, CurrentMonitor

router = APIRouter(prefix="/settings", tags=["settings"])


@router.get(
    "",
    response_model=GameSettings,
    responses={304: {"description": "Not Modified"}, **errors(SettingsUnreadable)},
    summary="List the game's settings",
)
async def list_settings(
    response: Response,
    configuration: CurrentConfiguration,
    principal: CurrentMonitor,
    condition: IfNoneMatch,
) -> GameSettings | Response:
    """Return every key of serverconfig.json with type and meaning; secrets only to admins."""
    shown, etag = await configuration.read(with_secrets=ADMIN in principal.scopes)
    if condition.not_modified(etag):
        return Response(status_code=304, headers={"ETag": etag})
    response.headers["ETag"] = etag
    return shown


@router.patch(
    "",
    responses=errors(PreconditionFailed, NoSettingsYet, SettingsUnreadable, GameBusy),
    summary="Change the game's settings",
)
async def change_settings(
    body: SettingsPatch,
    response: Response,
    configuration: CurrentConfiguration,
    principal: CurrentAdmin,
    condition: IfMatch,
) -> SettingsChanged:
    """Change the keys that are sent: at once where the running game can, else at its next start."""
    results = await configuration.change(body.changes(), condition, by=principal.id)
    _, etag = await configuration.read(with_secrets=False)
    response.headers["ETag"] = etag
    return SettingsChanged(results=results)
