"""The game-server manager. Start reading here."""

from bedplate.backend import Backend
from gameserver import security
from gameserver.audit.router import router as audit_router
from gameserver.backups.router import router as backups_router
from gameserver.backups.router import upload as backup_upload
from gameserver.configuration.router import router as settings_router
from gameserver.console.router import router as console_router
from gameserver.console.socket import router as console_socket
from gameserver.files.router import router as files_router
from gameserver.files.router import upload as file_upload
from gameserver.metrics.router import router as performance_router
from gameserver.mods.database_router import router as mod_database_router
from gameserver.mods.router import router as mods_router
from gameserver.mods.router import upload as mod_upload
from gameserver.notifications.router import router as webhooks_router
from gameserver.operations.router import router as operations_router
from gameserver.players.router import router as players_router
from gameserver.process.router import router as process_router
from gameserver.process.wiring import shutdown_seconds
from gameserver.schedules.router import router as schedules_router
from gameserver.settings import DEVELOPMENT_ADMIN_KEY, GameServerSettings
from gameserver.state import GameServerState
from gameserver.versions.router import router as versions_router

backend = Backend(
    name="gameserver",
    title="Game server",
    summary="Runs a Vintage Story dedicated server so that its owner can sleep.",
    settings=GameServerSettings,
    routers=[
        process_router,
        console_router,
        console_socket,
        audit_router,
        operations_router,
        backups_router,
        versions_router,
        settings_router,
        files_router,
        mods_router,
        mod_database_router,
        players_router,
        schedules_router,
        webhooks_router,
        performance_router,
    ],
    cors=security.cors,
    auth=security.guard,
    rate_limit=security.rate_limit,
    state=GameServerState,
    uploads=[backup_upload, file_upload, mod_upload],
    first_steps=[
        f"curl -X POST {{url}}/server/start -H 'X-API-Key: {DEVELOPMENT_ADMIN_KEY}'",
        "bedplate gameserver console --url {url}",
    ],
    commands="gameserver.commands:app",
    single_process="it owns one game server",
    shutdown_seconds=shutdown_seconds,
)
