"""The server itself: stop, save, copy, time, figures."""

import calendar
import time

from gameserver_simulator.game.commands.command import Command, UsageError, number, split
from gameserver_simulator.game.game import Game
from gameserver_simulator.game.players import CONSOLE

SECONDS_OF_A_GAME_HOUR = 60.0
DAYS_OF_A_MONTH = 9
FIRST_MONTH = 4  # counted from 0


def stop(game: Game, words: str) -> str | None:
    """/stop [exit code]."""
    if words:
        game.requested_exit_code = number(words.split(maxsplit=1)[0])
    game.log.event(f"{CONSOLE} shuts down server.")
    game.request_stop("Shutdown via server command")
    return None


def autosave(game: Game, _words: str) -> str:
    """/autosavenow: answers the same whether anything was saved or not."""
    game.saving.autosave()
    return game.translate("saved")


def backup(game: Game, words: str) -> str | None:
    """/genbackup [name, one word]; absent on a hosted server."""
    if game.config.values["HostedMode"]:
        return game.translate("unknown command")
    game.backups.begin(words.split(maxsplit=1)[0] if words else "")
    return None


def database(game: Game, words: str) -> str | None:
    """/db backup | vacuum | prune."""
    kind, rest = split(words, 1, rest=True)
    if kind == "backup":
        return backup(game, rest)
    if kind == "vacuum":
        game.backups.vacuum()
        return None
    if kind == "prune":
        return _prune(game, rest)
    raise UsageError


def _prune(game: Game, words: str) -> str:
    """Delete chunks; without `confirm` say how many."""
    threshold, mode, *confirm = split(words, 2)
    number(threshold)
    if mode not in {"keep", "drop"}:
        raise UsageError
    if confirm != ["confirm"]:
        return f"{game.world.count() // 2} chunk columns would be removed. Add confirm to do it."
    return f"{game.world.prune()} chunk columns removed."


def show_time(game: Game, words: str) -> str:
    """/time [set|add|stop|resume|speed]."""
    kind, *values = words.split() or ["show"]
    if kind in {"set", "add"}:
        hour = number((values or [""])[0].removesuffix("h"))
        savegame = game.world.savegame
        savegame.hours = hour if kind == "set" else savegame.hours + hour
    return f"{game.translate('time', _date(_hours(game)))}\nGame Speed: 60"


def _hours(game: Game) -> float:
    return game.world.savegame.hours + game.uptime / SECONDS_OF_A_GAME_HOUR


def _date(hours: float) -> str:
    days, hour = divmod(hours, 24)
    months, day = divmod(int(days), DAYS_OF_A_MONTH)
    years, month = divmod(months + FIRST_MONTH, 12)
    minute = int(hour % 1 * 60)
    return f"{day + 1}. {calendar.month_name[month + 1]}, Year {years}, {int(hour):02}:{minute:02}"


def stats(game: Game, _words: str) -> str:
    """/stats: a block of lines, some of them empty."""
    minutes, seconds = divmod(int(game.uptime), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    online = len(game.players.online)
    lines = [
        f"Version: {game.options.version}",
        f"Uptime: {days} days, {hours} hours, {minutes} minutes, {seconds} seconds",
        f"Players last online: {time.strftime('%d.%m.%Y %H:%M:%S')}",
        f"Players online: {online} / {game.config.values['MaxClients']}",
        "",
        "Memory usage Managed/Total: 1656Mb / 2064.9 Mb",
        "",
        "Loaded chunks: 0",
        "Loaded entities: 0 (0 active)",
        "Network TCP: 0 Packets/s or 0 Kb/s",
        "Network UDP: 0 Packets/s or 0 Kb/s",
    ]
    return "\n".join(lines)


def info(game: Game, words: str) -> str:
    """/info ident|design|createdversion|mapsize."""
    values = game.config.values
    answers = {
        "ident": game.world.savegame.identifier,
        "design": str(values["WorldConfig"]["Design"]),
        "createdversion": game.world.savegame.created_version,
        "mapsize": f"{values['MapSizeX']} {values['MapSizeY']} {values['MapSizeZ']}",
    }
    if words not in answers:
        raise UsageError
    return answers[words]


COMMANDS = {
    "stop": Command(stop, "[exit code]", "Stops the server"),
    "autosavenow": Command(autosave, "", "Saves the world"),
    "genbackup": Command(backup, "[filename]", "Copies the world into Backups"),
    "db": Command(database, "backup|vacuum|prune", "Looks after the save file"),
    "time": Command(show_time, "[set|add|stop|resume|speed]", "Shows or sets the time"),
    "stats": Command(stats, "", "Shows figures of the server"),
    "info": Command(info, "ident|design|createdversion|mapsize", "Shows facts of the world"),
}
