"""The game-server manager. Start reading here."""

from bedplate.backend import Backend
from gameserver import resources, security
from gameserver.audit.router import router as audit_router
from gameserver.console.router import router as console_router
from gameserver.console.socket import router as console_socket
from gameserver.process.router import router as process_router
from gameserver.settings import GameServerSettings

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
    ],
    cors=security.cors,
    auth=security.guard,
    rate_limit=security.rate_limit,
    resources={
        "verifier": security.open_verifier,
        "layout": resources.open_layout,
        "events": resources.open_events,
        "audit": resources.open_audit,
        "swaps": resources.open_swaps,
        "installed": resources.open_installed,
        "game": resources.open_game,
        "console_connections": resources.open_console_connections,
    },
    commands="gameserver.commands:app",
    single_process="it owns one game server",
    shutdown_seconds=resources.shutdown_seconds,
)
