"""Who is there: whoever notices somebody says so, and what stores it takes what was said."""

from uuid import UUID


class Presence:
    """Remembers which participants did something, in this process, until that is stored.

    It is stored for all of them with one time, so it doesn't tell when somebody voted.
    """

    def __init__(self) -> None:
        self._noticed: set[UUID] = set()

    def notice(self, participant_id: UUID) -> None:
        """Say that a participant did something."""
        self._noticed.add(participant_id)

    def take(self) -> set[UUID]:
        """Return who was noticed since the last call."""
        taken, self._noticed = self._noticed, set()
        return taken
