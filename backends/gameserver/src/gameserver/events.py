"""What happens to the game server, for notifications, metrics and history."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

import structlog

from bedplate import clock


class EventKind(StrEnum):
    """The kinds of events that notifications can be sent for."""

    STARTING = "starting"
    RUNNING = "running"
    STOPPING = "stopping"
    STOPPED = "stopped"
    CRASHED = "crashed"
    GAVE_UP = "gave_up"
    PLAYER_JOINED = "player_joined"
    PLAYER_LEFT = "player_left"
    WORLD_SAVED = "world_saved"
    OVERLOADED = "overloaded"
    CONSOLE_DEAD = "console_dead"
    BACKUP_FINISHED = "backup_finished"
    BACKUP_FAILED = "backup_failed"
    RESTORED = "restored"
    MODS_CHANGED = "mods_changed"
    VERSION_SWITCHED = "version_switched"
    VERSION_ROLLED_BACK = "version_rolled_back"
    UPDATE_AVAILABLE = "update_available"
    SCHEDULE_FAILED = "schedule_failed"
    DISK_LOW = "disk_low"


@dataclass(frozen=True, slots=True)
class Event:
    """An event: its kind, one sentence for people, and facts for programs."""

    kind: EventKind
    text: str
    facts: dict[str, str | int | float] = field(default_factory=dict)
    at: datetime = field(default_factory=clock.now)


Listener = Callable[[Event], None]


class Events:
    """Calls every listener for every event, immediately and in order, on the event loop.

    A listener must not block: for more work it puts the event into a queue. An error of a listener
    is logged, and the others are called nevertheless.
    """

    def __init__(self) -> None:
        self._listeners: list[Listener] = []

    def listen(self, listener: Listener) -> Callable[[], None]:
        """Call `listener` for every event from now on. Returns a function that ends this."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def publish(self, kind: EventKind, text: str, **facts: str | float) -> None:
        """Call every listener."""
        event = Event(kind, text, facts)
        for listener in list(self._listeners):
            try:
                listener(event)
            except Exception as error:  # noqa: BLE001 - one listener must not silence the others
                structlog.get_logger().error("listener_failed", event=kind, exc_info=error)
