"""What the console reveals about the game: phase, versions, saves, overloads, mods."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Final

from gameserver.console.lines import ConsoleLine
from gameserver.console.online_players import OnlinePlayer, OnlinePlayers, is_about_clients
from gameserver.console.replies import is_echo
from gameserver.console.schemas import Overloads, RunMods, Saves
from gameserver.events import EventKind, Events

MAX_MODS: Final = 2_000
MAX_PROBLEMS: Final = 200
MAX_NAME_LENGTH: Final = 200
MAX_CLAIMS: Final = 100
EXITS: Final = "Entering runphase Exit"
MAX_PROBLEM_LENGTH: Final = 1_000
RIVALS: Final = "Multiple mods share the mod ID"
UNRESOLVED: Final = "Could not resolve some dependencies"
DEAD_AFTER: Final = 3
"""Commands in a row without an echo after which the game's console counts as dead."""

CONSOLE_DEAD: Final = (
    f"The game has not taken the last {DEAD_AFTER} commands: it hangs, or its console is dead. "
    "Restart it."
)

_MOD = r"\[(?P<mod>[^\]\n]{1,200})\]"
"""A mod by its id; by its file's name, which may have blanks, while its id isn't known."""

_PHASE = re.compile(r"Entering runphase (\w{1,40})$")
_GAME_VERSION = re.compile(r"Game Version: v?([\w.+-]{1,40})")
_NETWORK_VERSION = re.compile(
    r"Server v[\w.+-]{1,40}, network v(?P<network>[\w.+-]{1,40}), api v(?P<api>[\w.+-]{1,40})"
)
# Nobody's name may stand before it: what an admin announces begins with `Name announced:`.
_READY = re.compile(r"[^:\n]{1,100} now running on Port (?P<port>\d{1,5}) and [^\n]{1,100}!")
_STOP_REASON = re.compile(r"[^\n]{1,200} Stop reason: ([^\n]{1,200})")
_WISHES = re.compile(
    r"Shutdown via server command|External close event .*|CTRL\+c pressed|Exit request by client"
    r"|Forced: .*",
    re.IGNORECASE,
)
"""The stop reasons of people, signals and programs; every other one is a failure."""

_ENDS = re.compile(r"Entering runphase (?:Shutdown|Exit)\b")
_UNHANDLED: Final = "Caught unhandled exception in thread"
_SAVE_BEGINS: Final = "Autosaving game world"
_SAVE_GOES_ON: Final = "Mods and systems notified, now saving everything"
_SAVED: Final = "World saved! Saved "
_SAVE_ENDS = re.compile(r"Offthread save of savegame done\.")
_OVERLOADED = re.compile(r"Server overloaded\. A tick took (?P<ms>\d{1,9})ms")
_MODS = re.compile(r"Mods, sorted by dependency: (?P<mods>[^\n]{0,60000})")
_MISSING = re.compile(
    rf"{_MOD}\s{{2,}}(?P<needs>[^\s@]{{1,64}}@?\S{{0,40}}) - (?P<why>[^\n]{{1,200}})"
)
_UNRESOLVED = re.compile(rf"{_MOD} Could not resolve some dependencies:?")
_EXCEPTION = re.compile(rf"{_MOD} (?P<why>An exception was thrown when trying to [^\n:]{{1,200}})")
_RIVALS = re.compile(rf"{RIVALS} '?(?P<mod>[^\s']{{1,64}})'?[^\n]{{0,1000}}")
_FAULTY = re.compile(r"Critical error occurred in the following mod: (?P<mod>[^\s@]{1,64})\S{0,60}")

_NOTIFIED: Final = ((_PHASE, "phase"), (_GAME_VERSION, "version"), (_STOP_REASON, "stop_reason"))
"""Patterns of notifications, and the fact that their group holds."""

_ROUTINE: Final = (
    "Server ticking has been ",
    "Will do offthread ",
    "Offthread save of ",
    "Placing ",
    "All clients disconnected, ",
    "A client reconnected, ",
    "Server stop requested, ",
    "Server termination event ",
)
"""How the lines begin that the server logs on its own, which are no reply to a command."""


@dataclass
class GameFacts:
    """What the console of the present run has revealed so far; it changes with the lines.

    phase         the run phase
    port          where the game listens, once it is ready
    saves         `last_seconds` is from the beginning of a save to its last durable line
    fatal         the last fatal error
    stop_reason   why the game shuts down, in its own words
    last_error    the error after its end, with which it explains some failures
    claimed       what lines say of its end, whether the game's own log confirms it or not yet
    ignored_commands   commands in a row that the game has not taken
    """

    phase: str | None = None
    version: str | None = None
    network_version: str | None = None
    api_version: str | None = None
    ready_at: datetime | None = None
    port: int | None = None
    mods: RunMods = field(default_factory=partial(RunMods, loaded=[], failed={}))
    saves: Saves = field(
        default_factory=partial(Saves, count=0, saving_since=None, last_at=None, last_seconds=None)
    )
    overloads: Overloads = field(
        default_factory=partial(Overloads, count=0, last_at=None, last_milliseconds=None)
    )
    warnings: int = 0
    errors: int = 0
    fatal: str | None = None
    stop_reason: str | None = None
    last_error: str | None = None
    stopped: bool = False
    claimed: set[str] = field(default_factory=set)
    ignored_commands: int = 0

    @property
    def shuts_down(self) -> bool:
        """Whether the game has begun to shut down in an orderly way."""
        return self.phase in {"Shutdown", "Exit"} or self.stopped

    @property
    def console_dead(self) -> bool:
        """Whether the game seems to take no commands any more."""
        return self.ignored_commands >= DEAD_AFTER

    @property
    def stopped_on_purpose(self) -> bool:
        """Whether somebody stopped it, as opposed to a failure of its own.

        The game shuts down in the same orderly way for both. Only the known reasons are a wish.
        """
        if not self.shuts_down or self.fatal is not None or self.stop_reason is None:
            return False
        return _WISHES.fullmatch(self.stop_reason) is not None


def needs_proof(level: str, text: str) -> bool:
    """Return whether a line changes what is done to the game, who is online, or who is notified.

    A player's message may hold line feeds, and is printed as it is. So a line of the console alone
    doesn't prove that the server has written it.
    """
    return _is_end(level, text) or _is_event(level, text) or is_about_clients(level, text)


def _is_end(level: str, text: str) -> bool:
    """Return whether a line says that the game ends, or why."""
    match level:
        case "Fatal":
            return True
        case "Error":
            return text.startswith(_UNHANDLED)
        case "Event":
            return text == "Stopped the server!"
        case "Notification":
            return _ENDS.match(text) is not None or _STOP_REASON.match(text) is not None
    return False


def _is_event(level: str, text: str) -> bool:
    """Return whether a line is about a save or an overload, which others are notified of."""
    match level:
        case "Warning":
            return _OVERLOADED.match(text) is not None
        case "Event":
            return text.startswith((_SAVE_GOES_ON, _SAVED))
        case "Notification":
            return text.startswith(_SAVE_BEGINS) or _SAVE_ENDS.fullmatch(text) is not None
    return False


class Facts:
    """Reads facts from the console's lines, and publishes events.

    Only lines of the right level count, and their texts are matched from the start. Lines that
    need a proof go to `prove`, if there is one, which calls `apply` when it is found. Unknown lines
    are ignored.
    """

    def __init__(self, events: Events) -> None:
        self.current = GameFacts()
        self.online = OnlinePlayers(
            on_join=partial(self._publish_player, EventKind.PLAYER_JOINED, "joined"),
            on_leave=partial(self._publish_player, EventKind.PLAYER_LEFT, "left"),
        )
        self.prove: Callable[[ConsoleLine], None] | None = None
        self._events = events
        self._readers: dict[str, Callable[[ConsoleLine], bool]] = {
            "Notification": self._notification,
            "Event": self._event,
            "Warning": self._warning,
            "Error": self._error,
            "Fatal": self._fatal,
        }

    def begin(self) -> None:
        """Forget the last run: a new one starts."""
        self.online.clear()
        self.current = GameFacts()

    def end(self) -> None:
        """Let everybody leave: the run has ended. Its facts stay."""
        self.online.clear()
        self.current.saves.saving_since = None

    def take(self, line: ConsoleLine) -> bool:
        """Take a line, and return whether the server logged it on its own, as no reply."""
        if not line.authentic or line.level is None:
            return False
        first = line.text.partition("\n")[0]
        if self.prove is not None and needs_proof(line.level, first):
            if _is_end(line.level, first) and len(self.current.claimed) < MAX_CLAIMS:
                self.current.claimed.add(first)
            self.prove(line)
            return True
        return self.apply(line)

    def apply(self, line: ConsoleLine) -> bool:
        """Take a line that the server itself has written; returns what `take` does."""
        reader = self._readers.get(line.level or "")
        return reader is not None and (reader(line) or self.online.take(line))

    def command_ignored(self) -> None:
        """Count a command that the game has not taken."""
        self.current.ignored_commands += 1
        if self.current.ignored_commands == DEAD_AFTER:
            self._events.publish(EventKind.CONSOLE_DEAD, CONSOLE_DEAD)

    def _trusts(self, level: str, text: str) -> bool:
        """Return whether a line counts: once the game is ready, players may have typed it."""
        return self.current.ready_at is None or _is_end(level, text)

    def _set(self, **changes: object) -> bool:
        for name, value in changes.items():
            setattr(self.current, name, value)
        return True

    def _notification(self, line: ConsoleLine) -> bool:
        text = line.text
        if is_echo(line):
            self.current.ignored_commands = 0
            return False
        if text.startswith(_SAVE_BEGINS):
            self.current.saves.saving_since = line.at
            return True
        if _SAVE_ENDS.fullmatch(text):
            return self._saved(line)
        if self.current.ready_at is None and (match := _MODS.fullmatch(text)) is not None:
            names = [name.strip()[:MAX_NAME_LENGTH] for name in match["mods"].split(",")]
            failed = self.current.mods.failed.items()
            gone = {name.lower() for name, why in failed if not why.startswith(RIVALS)}
            loaded = [name for name in names if name and name.lower() not in gone]
            self.current.mods.loaded = loaded[:MAX_MODS]
            return True
        for pattern, fact in _NOTIFIED:
            if (match := pattern.match(text)) is not None:
                return self._trusts("Notification", text) and self._set(**{fact: match[1]})
        return text.startswith(_ROUTINE)

    def _event(self, line: ConsoleLine) -> bool:
        text = line.text
        if (match := _READY.fullmatch(text)) is not None:
            if self.current.ready_at is None:
                self._set(ready_at=line.at, port=int(match["port"]))
            return True
        if (match := _NETWORK_VERSION.fullmatch(text)) is not None:
            return self._trusts("Event", text) and self._set(
                network_version=match["network"], api_version=match["api"]
            )
        if text.startswith(_SAVE_GOES_ON):
            self.current.saves.saving_since = self.current.saves.saving_since or line.at
            return True
        if text.startswith(_SAVED):
            return self._saved(line) if self.current.shuts_down else True
        if text == "Stopped the server!":
            return self._set(stopped=True)
        return False

    def _saved(self, line: ConsoleLine) -> bool:
        count, began = self.current.saves.count + 1, self.current.saves.saving_since
        seconds = None if began is None else max(0.0, (line.at - began).total_seconds())
        saves = Saves(count=count, saving_since=None, last_at=line.at, last_seconds=seconds)
        self.current.saves = saves
        facts = {} if seconds is None else {"seconds": seconds}
        self._events.publish(EventKind.WORLD_SAVED, "The world was saved.", **facts)
        return True

    def _warning(self, line: ConsoleLine) -> bool:
        self.current.warnings += 1
        if (match := _RIVALS.match(line.text)) is not None:
            self._rivals(match)
        if (match := _OVERLOADED.match(line.text)) is None:
            return False
        milliseconds = int(match["ms"])
        count = self.current.overloads.count + 1
        overloads = Overloads(count=count, last_at=line.at, last_milliseconds=milliseconds)
        self.current.overloads = overloads
        text = f"The game is overloaded: a tick took {milliseconds} ms."
        self._events.publish(EventKind.OVERLOADED, text, milliseconds=milliseconds)
        return True

    def _error(self, line: ConsoleLine) -> bool:
        self.current.errors += 1
        if self.current.phase == "Exit" or EXITS in self.current.claimed:
            self._set(last_error=line.text[:2_000])
        if (match := _MISSING.match(line.text)) is not None:
            self._failed(match["mod"], f"{match['needs']} - {match['why'].strip()}")
        elif (match := _UNRESOLVED.match(line.text)) is not None:
            self._failed(match["mod"], UNRESOLVED)
        elif (match := _EXCEPTION.match(line.text)) is not None:
            self._failed(match["mod"], match["why"].replace("to to", "to"))
        elif (match := _RIVALS.match(line.text)) is not None:
            self._rivals(match)
        elif (match := _FAULTY.match(line.text)) is not None:
            self._failed(match["mod"], "Critical error")
        elif line.text.startswith(_UNHANDLED):
            self._fatal(line)
        return False

    def _failed(self, mod: str, why: str) -> None:
        """Note all that the game says of a mod that it hasn't loaded."""
        mods = self.current.mods
        mods.loaded = [name for name in mods.loaded if name.lower() != mod.lower()]
        self._add_problem(mod, why)

    def _add_problem(self, mod: str, why: str) -> None:
        failed = self.current.mods.failed
        known = failed.get(mod, UNRESOLVED)
        if mod not in failed and len(failed) >= MAX_PROBLEMS:
            return
        if known == UNRESOLVED:
            failed[mod] = why
        elif why not in {UNRESOLVED, *known.split("; ")} and len(known) < MAX_PROBLEM_LENGTH:
            failed[mod] = f"{known}; {why}"

    def _rivals(self, match: re.Match[str]) -> None:
        self._add_problem(match["mod"], match[0].strip())

    def _fatal(self, line: ConsoleLine) -> bool:
        return self._set(fatal=line.text[:2_000])

    def _publish_player(self, kind: EventKind, verb: str, player: OnlinePlayer) -> None:
        self._events.publish(kind, f"{player.name} {verb}.", name=player.name, uid=player.uid)
