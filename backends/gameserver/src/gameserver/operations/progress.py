"""The progress of long work, reported from any thread."""

from collections.abc import Callable
from typing import Self

from bedplate import clock
from gameserver.operations.exceptions import OperationInterrupted
from gameserver.operations.schemas import Operation, OperationKind


class Progress:
    """One operation's progress; safe to use from any thread.

    When the manager shuts down, `report` raises `OperationInterrupted`: nothing else can end work
    in a thread.
    """

    def __init__(self, operation: Operation, start: float = 0.0, end: float = 1.0) -> None:
        self._operation = operation
        self._start = start
        self._end = end
        self._parent: Progress | None = None
        self._interrupted = False

    @classmethod
    def silent(cls) -> Self:
        """Return a progress that nobody sees, for work that must not be interrupted."""
        return cls(Operation(id="", kind=OperationKind.SWITCH, by="", started_at=clock.now()))

    def report(self, fraction: float, detail: str | None = None) -> None:
        """Report that `fraction` (0 to 1) is done, and which step comes now. It never goes back."""
        self.check()
        position = self._start + (self._end - self._start) * min(max(fraction, 0.0), 1.0)
        self._operation.progress = max(self._operation.progress, position)
        if detail is not None:
            self._operation.detail = detail

    def counter(self, total: int, detail: str) -> Callable[[int], None]:
        """Return a callback that receives counts, and reports their sum as a part of `total`."""
        done = 0

        def add(count: int) -> None:
            nonlocal done
            done += count
            self.report(done / max(1, total))

        self.report(0, detail)
        return add

    def part(self, start: float, end: float) -> "Progress":
        """Return the progress of a step, from `start` to `end` of this one."""
        width = self._end - self._start
        step = Progress(self._operation, self._start + width * start, self._start + width * end)
        step._parent = self
        return step

    def interrupt(self) -> None:
        """Make the work end at its next report."""
        self._interrupted = True

    def check(self) -> None:
        """Raise `OperationInterrupted` when the work has to end."""
        if self._interrupted:
            raise OperationInterrupted
        if self._parent is not None:
            self._parent.check()
