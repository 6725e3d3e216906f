"""Why a process of the game ended, as a sentence."""

import re
import signal
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

from gameserver.console.facts import GameFacts
from gameserver.process.program import MISSING_RUNTIME

_MAX_LENGTH: Final = 300
_OUTSIDE: Final = re.compile("External close event|CTRL\\+c", re.IGNORECASE)
_HOPELESS: Final = re.compile(
    "Out of disk space|Failed opening savegame|serverconfig.json read error"
    "|Failed reading playerdata",
    re.IGNORECASE,
)


class ExitKind(Enum):
    """Who or what ended a process, or kept it from starting."""

    MANAGER = auto()
    PLAYER = auto()
    CRASH = auto()
    START_REFUSED = auto()


@dataclass(frozen=True)
class ExitReason:
    """How a process ended.

    text          one sentence
    code          its exit code, negative for a signal; None when nobody knows
    last_lines    the end of its console, if it crashed
    may_restart   whether another start could help
    """

    kind: ExitKind
    text: str
    code: int | None = None
    last_lines: tuple[str, ...] = ()
    may_restart: bool = True


def explain_crash(code: int, facts: GameFacts) -> str:
    """Return the cause of a crash in one sentence, as far as exit code and console reveal it."""
    if facts.fatal is not None:
        return f"The game ended itself: {facts.fatal[:_MAX_LENGTH]}"
    if code == MISSING_RUNTIME:
        return (
            f"The .NET runtime that this version of the game needs is missing (exit code {code}): "
            "install it, or set DOTNET_ROOT to where it is."
        )
    if code < 0:
        hint = " Perhaps the system ran out of memory: see its log."
        return (
            f"The game was ended by {_signal_name(-code)}.{hint if code == -signal.SIGKILL else ''}"
        )
    if facts.stop_reason is not None or facts.shuts_down:
        reason = facts.stop_reason or f"it gave no reason (exit code {code})"
        error = "" if facts.last_error is None else f" {facts.last_error[:_MAX_LENGTH]}"
        return f"The game ended itself: {_sentence(reason)}{error}"
    if facts.ready_at is None:
        return f"The game ended before it was ready (exit code {code})."
    return f"The game ended unexpectedly (exit code {code})."


def explain_stop(facts: GameFacts) -> str:
    """Return in one sentence who stopped a game that was stopped on purpose."""
    reason = facts.stop_reason or ""
    place = "from outside" if _OUTSIDE.match(reason) else "from within"
    return f"The game was stopped {place}: {_sentence(reason)}"


def may_restart(facts: GameFacts) -> bool:
    """Return whether another start could help: no start frees a disk or mends a file."""
    if facts.fatal is not None:
        return not facts.fatal.startswith("Disk space is below")
    return facts.stop_reason is None or _HOPELESS.match(facts.stop_reason) is None


def _sentence(text: str) -> str:
    return f"{text[:_MAX_LENGTH].rstrip('.')}."


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
