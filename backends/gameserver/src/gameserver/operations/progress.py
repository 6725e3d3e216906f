"""How long work says how far it is, also from another thread."""

from typing import Self

from bedplate import clock
from gameserver.operations.exceptions import OperationInterrupted
from gameserver.operations.schemas import Operation, OperationKind


class Progress:
    """One operation's progress, as its work tells it; safe to call from any thread.

    Every `report` is also where work in a thread ends when the manager goes away: it raises
    `OperationInterrupted`, since nothing else can end a thread.
    """

    def __init__(self, operation: Operation, start: float = 0.0, end: float = 1.0) -> None:
        self._operation = operation
        self._start = start
        self._end = end
        self._parent: Progress | None = None
        self._interrupted = False

    @classmethod
    def silent(cls) -> Self:
        """Return one that nobody watches, for work that must be done to its end."""
        return cls(Operation(id="", kind=OperationKind.SWITCH, by="", started_at=clock.now()))

    def report(self, fraction: float, detail: str | None = None) -> None:
        """Say that `fraction` (0 to 1) is done, and what comes now. Never goes backwards."""
        self.check()
        reached = self._start + (self._end - self._start) * min(max(fraction, 0.0), 1.0)
        self._operation.progress = max(self._operation.progress, reached)
        if detail is not None:
            self._operation.detail = detail

    def part(self, start: float, end: float) -> "Progress":
        """Return the progress of a step that reaches from `start` to `end` of this one."""
        width = self._end - self._start
        step = Progress(self._operation, self._start + width * start, self._start + width * end)
        step._parent = self
        return step

    def interrupt(self) -> None:
        """Make the work end at its next report."""
        self._interrupted = True

    def check(self) -> None:
        """Raise `OperationInterrupted` when the work is to end."""
        if self._interrupted:
            raise OperationInterrupted
        if self._parent is not None:
            self._parent.check()
