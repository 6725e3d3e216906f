"""What happens to the game server, told to whoever listens: notifications, metrics, history."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

import structlog

from bedplate import clock


class EventKind(StrEnum):
    """The kinds of event a notification can be asked for."""

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
    """One thing that happened: its kind, one sentence for a person, and facts for a program."""

    kind: EventKind
    text: str
    facts: dict[str, str | int | float] = field(default_factory=dict)
    at: datetime = field(default_factory=clock.now)


Listener = Callable[[Event], None]


class Events:
    """Tells every listener of every event, at once and in order; on the event loop.

    A listener must not block: whoever has more to do takes the event into a queue. A listener that
    raises is logged, and keeps nobody else from hearing.
    """

    def __init__(self) -> None:
        self._listeners: list[Listener] = []

    def listen(self, listener: Listener) -> Callable[[], None]:
        """Call `listener` for every event from now on; calling what is returned ends that."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def publish(self, kind: EventKind, text: str, **facts: str | float) -> None:
        """Tell every listener."""
        event = Event(kind, text, facts)
        for listener in list(self._listeners):
            try:
                listener(event)
            except Exception as error:  # noqa: BLE001 - one listener must not silence the others
                structlog.get_logger().error("listener_failed", event=kind, exc_info=error)
