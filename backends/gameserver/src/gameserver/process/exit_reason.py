"""Why a process of the game ended, in words."""

import signal
from dataclasses import dataclass
from enum import Enum, auto

from gameserver.console.facts import GameFacts
from gameserver.process.runtimes import MISSING_RUNTIME

_LONGEST = 300


class Cause(Enum):
    """Who or what ended a process."""

    MANAGER = auto()
    PLAYER = auto()
    CRASH = auto()


@dataclass(frozen=True)
class Ending:
    """How a process ended.

    reason: one sentence. code: its exit code, negative for a signal; None when nobody knows.
    lines: what it said last, if it crashed.
    """

    cause: Cause
    reason: str
    code: int | None = None
    lines: tuple[str, ...] = ()


def explain(code: int, facts: GameFacts) -> str:
    """Return one sentence about a crash: its cause as far as exit code and console tell."""
    if facts.last_fatal is not None:
        return f"The game ended itself: {facts.last_fatal[:_LONGEST]}"
    if code == MISSING_RUNTIME:
        return (
            f"The .NET runtime that this version of the game needs is missing (exit code {code}): "
            "install it, or set DOTNET_ROOT to where it is."
        )
    if code < 0:
        return f"The game was ended by {_signal_name(-code)}.{_hint(-code)}"
    if facts.stop_reason is not None:
        return f"The game ended itself: {facts.stop_reason[:_LONGEST]}"
    if facts.ready_at is None:
        return f"The game ended before it was ready (exit code {code})."
    return f"The game ended unexpectedly (exit code {code})."


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def _hint(number: int) -> str:
    if number == signal.SIGKILL:
        return " Perhaps the system had too little memory: see its log."
    return ""
