"""The game-server manager. Start reading here."""

from bedplate.backend import Backend
from gameserver import resources, security
from gameserver.settings import GameServerSettings

backend = Backend(
    name="gameserver",
    title="Game server",
    summary="Runs a Vintage Story dedicated server so that its owner can sleep.",
    settings=GameServerSettings,
    routers=[],
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
    },
    commands="gameserver.commands:app",
    single_process="it owns one game server",
)
