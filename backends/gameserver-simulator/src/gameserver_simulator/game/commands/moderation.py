"""Kicks, bans, roles and privileges."""

from datetime import UTC, datetime, timedelta

from gameserver_simulator.game.commands.command import Command, UsageError, number, split
from gameserver_simulator.game.commands.targets import Target, act
from gameserver_simulator.game.commands.whitelisting import whitelist_player
from gameserver_simulator.game.game import Game
from gameserver_simulator.game.players import CONSOLE, in_years

UNITS = {"minute": 1, "hour": 60, "day": 24 * 60, "week": 7 * 24 * 60}
HARD_BAN_YEARS = 1000
ADMIN = "admin"


def kick(game: Game, words: str) -> str | None:
    """/kick player [reason]."""
    player, reason = split(words, 1, rest=True)
    if "[" not in player and not any(
        player in {each.name, each.uid} for each in game.players.online.values()
    ):
        return game.translate("nobody")

    def throw_out(target: Target) -> str:
        client = game.players.client(target.uid)
        if client is None:
            return game.translate("nobody")
        game.sessions.remove(client, f"You've been kicked by {CONSOLE}, reason: {reason}")
        return game.translate("kicked", target.name, CONSOLE, reason)

    return act(game, player, throw_out)


def ban(game: Game, words: str) -> str | None:
    """/ban player N minute|hour|day|week|year reason: all of them."""
    player, count, unit, reason = split(words, 3, rest=True)
    if not reason:
        raise UsageError
    amount, unit = number(count), unit.lower().removesuffix("s")
    if unit == "year":
        until = in_years(amount)
    elif unit in UNITS:
        until = datetime.now(UTC).astimezone() + timedelta(minutes=amount * UNITS[unit])
    else:
        raise UsageError
    return act(game, player, lambda target: _ban(game, target, until, reason))


def hard_ban(game: Game, words: str) -> str | None:
    """/hardban player [reason]."""
    player, reason = split(words, 1, rest=True)
    until = in_years(HARD_BAN_YEARS)
    return act(game, player, lambda target: _ban(game, target, until, reason))


def _ban(game: Game, target: Target, until: datetime, reason: str) -> str:
    game.players.add(game.players.banned, target.name, target.uid, until, reason)
    client = game.players.client(target.uid)
    if client is not None:
        game.sessions.remove(client, f"You've been banned by {CONSOLE}, reason: {reason}")
    return game.translate("banned", f"{until:%d.%m.%Y %H:%M:%S}")


def unban(game: Game, words: str) -> str | None:
    """/unban player."""

    def lift(target: Target) -> str:
        if not game.players.list_entry(game.players.banned, target.uid):
            return game.translate("not banned")
        game.players.discard(game.players.banned, target.uid)
        return game.translate("unbanned")

    return act(game, split(words, 1)[0], lift)


def make_operator(game: Game, words: str) -> str | None:
    """/op player."""

    def promote(target: Target) -> str:
        entry = game.players.meet(target.name, target.uid)
        if entry["RoleCode"] == ADMIN:
            return game.translate("role same", ADMIN)
        return _assign(game, target, ADMIN)

    return act(game, split(words, 1)[0], promote)


def change_player(game: Game, words: str) -> str | None:
    """/player X role|whitelist|privilege|gamemode|…."""
    player, kind, rest = split(words, 2, rest=True)
    if kind not in ASPECTS:
        raise UsageError
    return act(game, player, lambda target: ASPECTS[kind](game, target, rest))


def _role(game: Game, target: Target, code: str) -> str:
    if not code:
        return game.translate("role is", game.players.meet(target.name, target.uid)["RoleCode"])
    if code not in {role["Code"] for role in game.config.values["Roles"]}:
        return f"No role '{code}' found"
    return _assign(game, target, code)


def _assign(game: Game, target: Target, code: str) -> str:
    game.players.meet(target.name, target.uid)["RoleCode"] = code
    game.players.save()
    names = {role["Code"]: role["Name"] for role in game.config.values["Roles"]}
    return game.translate("role assigned", names.get(code, code), target.name)


def _privilege(game: Game, target: Target, words: str) -> str:
    action, code = split(words, 2)
    entry = game.players.meet(target.name, target.uid)
    granted, denied = entry["PermaPrivileges"], entry["DeniedPrivileges"]
    changes = {
        "grant": (granted, True, f"Privilege {code} granted to {target.name}"),
        "revoke": (granted, False, f"Privilege {code} revoked from {target.name}"),
        "deny": (denied, True, f"Privilege {code} denied for {target.name}"),
        "removedeny": (denied, False, f"Denial of {code} removed from {target.name}"),
    }
    if action not in changes:
        raise UsageError
    held, add, reply = changes[action]
    held[:] = sorted({*held, code} if add else {*held} - {code})
    game.players.save()
    return reply


def _game_mode(_game: Game, target: Target, mode: str) -> str:
    return f"Game mode {mode or 'Survival'} set for {target.name}"


def _wipe(game: Game, target: Target, _words: str) -> str:
    game.players.known[:] = [e for e in game.players.known if e["PlayerUID"] != target.uid]
    game.players.save()
    return f"Data of {target.name} wiped"


def _stats(game: Game, target: Target, _words: str) -> str:
    entry = game.players.meet(target.name, target.uid)
    return f"{target.name}\nUID: {target.uid}\nRole: {entry['RoleCode']}"


ASPECTS = {
    "role": _role,
    "whitelist": whitelist_player,
    "privilege": _privilege,
    "gamemode": _game_mode,
    "wipedata": _wipe,
    "stats": _stats,
}

COMMANDS = {
    "kick": Command(kick, "player [reason]", "Throws a player out"),
    "ban": Command(ban, "player N minute|hour|day|week|year reason", "Bans a player"),
    "hardban": Command(hard_ban, "player [reason]", "Bans a player for a thousand years"),
    "unban": Command(unban, "player", "Lifts a ban"),
    "op": Command(make_operator, "player", "Makes a player an admin"),
    "player": Command(change_player, "player aspect [value]", "Shows or changes a player"),
}
