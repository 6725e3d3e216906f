"""Activities as their users see them: JSON in, JSON out."""

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from bedplate.problems import InvalidInput
from live.activity_type import Item, Tally, all_types


class Activity:
    """An activity of a type and a configuration, with the answers that came in."""

    def __init__(self, name: str, config: object) -> None:
        self.kind = all_types()[name]
        self.config = self.kind.parse_config(config)
        self.stored = 0
        self.counts = Counter[str]()
        self.labels: dict[str, str] = {}
        self.marks: dict[str, dict[str, Any]] = {}

    def answer(self, *answers: object) -> "Activity":
        """Count answers."""
        for answer in answers:
            self.stored += 1
            for count in self.kind.tally(self.config, self._parse(answer)):
                self.counts[count.key] += count.amount
                if count.label:
                    self.labels.setdefault(count.key, count.label)
        return self

    def mark(self, key: str, **marks: object) -> "Activity":
        """Moderate what participants wrote."""
        self.marks[key] = marks
        return self

    def result(self, *, revealed: bool = False) -> dict[str, Any]:
        """Return the result."""
        items = [
            Item(key, label, self.counts[key], **self.marks.get(key, {}))
            for key, label in sorted(self.labels.items())
        ]
        tally = Tally(self.stored, self.counts, items)
        return self.kind.result(self.config, tally, revealed=revealed)

    def checked(self, answer: object) -> dict[str, Any]:
        """Return an answer as it is stored."""
        stored: dict[str, Any] = self._parse(answer).model_dump(mode="json")
        return stored

    def score(
        self, answer: object, seconds: float | None = None, limit: float | None = None
    ) -> tuple[bool, int]:
        """Return whether an answer is right, and its points."""
        score = self.kind.score(self.config, self._parse(answer), seconds=seconds, limit=limit)
        assert score is not None
        return score.correct, score.points

    def refused(self, answer: object) -> tuple[str, str]:
        """Return the field and the code of an answer's first error."""
        error = _first_error(lambda: self._parse(answer))
        return error["field"], error["code"]

    def _parse(self, answer: object) -> Any:
        return self.kind.parse_answer(self.config, answer)


class Activities:
    """Makes activities."""

    def __call__(self, name: str, config: object) -> Activity:
        """Return an activity."""
        return Activity(name, config)

    def refused(self, name: str, config: object) -> str:
        """Return the message of a configuration's first error."""
        return str(_first_error(lambda: Activity(name, config))["message"])


def _first_error(call: Callable[[], object]) -> Any:
    with pytest.raises(InvalidInput) as refused:
        call()
    errors: Any = refused.value.members["errors"]
    return errors[0]


@pytest.fixture(scope="session")
def activities() -> Activities:
    """Makes activities of a name and a configuration."""
    return Activities()
