"""Changes of results: whoever makes one tells it, and whoever shows results listens."""

from collections.abc import Callable
from uuid import UUID


def results_key(activity_id: UUID) -> str:
    """Return the key under which the latest results of an activity are shown."""
    return f"results:{activity_id}"


class ResultChanges:
    """Passes on that the results of an activity changed, in this process."""

    def __init__(self) -> None:
        self._listeners: list[Callable[[UUID], object]] = []

    def listen(self, listener: Callable[[UUID], object]) -> None:
        """Call `listener` with the activity's id at each change; it neither waits nor raises."""
        self._listeners.append(listener)

    def tell(self, *activity_ids: UUID) -> None:
        """Say that the results of activities changed. Call it after the commit."""
        for activity_id in activity_ids:
            for listener in self._listeners:
                listener(activity_id)
