from typing import Annotated

from fastapi import APIRouter, Path, Query

from bedplate.documents import DocumentError
from bedplate.openapi import errors, headers
from bedplate.pagination import CurrentPaging
from bedplate.schemas import MultiLineStr, QueryInt
from gameserver.console.exceptions import ConsoleBusy, GameNotRunning
from gameserver.console.wiring import CurrentConsole
from gameserver.players import player_actions
from gameserver.players.exceptions import (
    PlayerFileDamaged,
    PlayerNotFound,
    PlayerNotOnline,
    UnknownRole,
)
from gameserver.players.schemas import (
    Ban,
    Change,
    Kick,
    ListEntry,
    Listing,
    Player,
    PlayerName,
    PlayerOnline,
    RoleChange,
    Session,
)
from gameserver.players.sessions import MAX_SESSIONS
from gameserver.players.wiring import CurrentPlayers, CurrentSessions
from gameserver.process.exceptions import GameBusy, GameNotStopped
from gameserver.security import ADMIN, CurrentAdmin, CurrentMonitor

router = APIRouter(prefix="/players", tags=["players"])

Name = Annotated[PlayerName, Path(description="Name of the player")]
_CHANGE_ERRORS = errors(
    PlayerNotFound, GameNotRunning, GameBusy, GameNotStopped, PlayerFileDamaged, ConsoleBusy,
    DocumentError,
)  # fmt: skip


@router.get(
    "",
    responses={**errors(PlayerFileDamaged), **headers(200, "Link")},
    summary="List players",
)
async def list_players(
    players: CurrentPlayers,
    _: CurrentMonitor,
    paging: CurrentPaging,
    q: Annotated[
        str | None, MultiLineStr(64), Query(description="Part of the name, or UID")
    ] = None,
    limit: Annotated[int, QueryInt(1, 1_000), Query()] = 100,
) -> list[Player]:
    """Return everybody whom the game knows or has on a list, by name."""
    return paging(await players.page(text=q, after=paging.after, limit=limit))


@router.get("/online", summary="List who is online")
async def list_online(console: CurrentConsole, principal: CurrentMonitor) -> list[PlayerOnline]:
    """Return who is online; only an admin sees their addresses."""
    sees_addresses = ADMIN in principal.scopes
    return [
        PlayerOnline(
            name=player.name,
            uid=player.uid,
            client=player.client,
            since=player.since,
            address=player.address if sees_addresses else None,
        )
        for player in console.online.list()
    ]


@router.get("/sessions", responses=headers(200, "Link"), summary="List who played when")
async def list_sessions(
    sessions: CurrentSessions,
    _: CurrentMonitor,
    paging: CurrentPaging,
    name: Annotated[PlayerName | None, Query()] = None,
    limit: Annotated[int, QueryInt(1, MAX_SESSIONS), Query()] = 100,
) -> list[Session]:
    """Return the last sessions, the newest first."""
    return paging(sessions.page(name=name, after=paging.after, limit=limit))


@router.get("/whitelist", responses=errors(PlayerFileDamaged), summary="Read the whitelist")
async def list_whitelist(players: CurrentPlayers, _: CurrentMonitor) -> list[ListEntry]:
    """Return who may join while the whitelist is enabled."""
    return await players.whitelist()


@router.get("/bans", responses=errors(PlayerFileDamaged), summary="Read the bans")
async def list_bans(players: CurrentPlayers, _: CurrentMonitor) -> list[ListEntry]:
    """Return the bans in force."""
    return await players.bans()


@router.put("/{name}/whitelist", responses=_CHANGE_ERRORS, summary="Whitelist a player")
async def add_to_whitelist(
    name: Name, listing: Listing, players: CurrentPlayers, principal: CurrentAdmin
) -> Change:
    """Put a player on the whitelist."""
    action = player_actions.whitelist(name, listing.reason, principal.id)
    return await players.apply(action, listing.uid, by=principal.id)


@router.delete("/{name}/whitelist", responses=_CHANGE_ERRORS, summary="Unlist a player")
async def remove_from_whitelist(
    name: Name, players: CurrentPlayers, principal: CurrentAdmin
) -> Change:
    """Take a player off the whitelist."""
    return await players.apply(player_actions.unwhitelist(name), by=principal.id)


@router.put("/{name}/ban", responses=_CHANGE_ERRORS, summary="Ban a player")
async def ban_player(
    name: Name, ban: Ban, players: CurrentPlayers, principal: CurrentAdmin
) -> Change:
    """Keep a player out for a time; replaces an earlier ban."""
    return await players.apply(
        player_actions.ban(name, ban, principal.id), ban.uid, by=principal.id
    )


@router.delete("/{name}/ban", responses=_CHANGE_ERRORS, summary="Lift a ban")
async def unban_player(name: Name, players: CurrentPlayers, principal: CurrentAdmin) -> Change:
    """Let a banned player join again."""
    return await players.apply(player_actions.unban(name), by=principal.id)


@router.post(
    "/{name}/kick",
    responses=errors(PlayerNotOnline, GameNotRunning, ConsoleBusy),
    summary="Kick a player",
)
async def kick_player(
    name: Name, kick: Kick, players: CurrentPlayers, principal: CurrentAdmin
) -> Change:
    """Disconnect an online player, who may come back."""
    return await players.kick(name, kick.reason, by=principal.id)


@router.put(
    "/{name}/role",
    responses={**_CHANGE_ERRORS, **errors(UnknownRole)},
    summary="Give a player a role",
)
async def assign_role(
    name: Name, change: RoleChange, players: CurrentPlayers, principal: CurrentAdmin
) -> Change:
    """Give a player one of the roles in the game's settings."""
    return await players.assign(name, change.role, change.uid, by=principal.id)


@router.post("/{name}/op", responses=_CHANGE_ERRORS, summary="Make a player an admin")
async def make_operator(name: Name, players: CurrentPlayers, principal: CurrentAdmin) -> Change:
    """Give a player the role `admin`."""
    return await players.assign(name, "admin", None, by=principal.id)
