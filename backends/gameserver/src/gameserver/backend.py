"""The game-server manager. Start reading here."""

from bedplate.backend import Backend
from gameserver import security
from gameserver.settings import GameServerSettings

backend = Backend(
    name="gameserver",
    title="Game server",
    summary="Runs a Vintage Story dedicated server so that its owner can sleep.",
    settings=GameServerSettings,
    routers=[],
    auth=security.guard,
    rate_limit=security.rate_limit,
    resources={"verifier": security.open_verifier},
    commands="gameserver.commands:app",
    single_process="it owns one game server",
)
