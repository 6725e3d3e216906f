"""What a type of activity declares: its configuration, its answers, and what is counted of these.

The types are the modules of the folder `activity_types`, each with one subclass of `ActivityType`.
Everything else of an activity is the same for all of them: states, timers, rounds, one answer a
participant, results from counters, moderation.
"""

import importlib
import pkgutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, ClassVar, Generic, TypeVar, final

from pydantic import BaseModel, ValidationError

from bedplate.problems import FieldError, InvalidInput
from bedplate.problems.handlers import invalid_input

Config = TypeVar("Config", bound=BaseModel)
Answer = TypeVar("Answer", bound=BaseModel)

MAX_KEY_LENGTH = 64
MAX_LABEL_LENGTH = 500
MAX_COUNTERS = 1000
"""How many counters a round has at most, beside those of participants' own words."""

# By name, not by an import: the types import this module.
_FOLDER = "live.activity_types"


@dataclass(frozen=True, slots=True)
class Count:
    """What one answer adds to one counter of its round.

    `key` names the counter: at most 64 characters of ASCII. `label` is what it is called where the
    participants' own words are counted; the first label that is stored stays. `amount` is what is
    added, and taken away again when the answer is changed or retracted.
    """

    key: str
    label: str = ""
    amount: int = 1


@dataclass(frozen=True, slots=True)
class Item:
    """Participants' own words as they are counted: a word, a text, a question.

    `state` is `visible`, `waiting` (for moderation) or `hidden`; nobody but hosts and moderators
    sees the latter two.
    """

    key: str
    label: str
    count: int
    state: str = "visible"
    pinned: bool = False
    answered: bool = False


@dataclass(frozen=True)
class Tally:
    """The counters of a round: `counts` by key, and the words among them as `items`.

    `stored` is how many answers there are. Items come in the order of their keys; for an audience
    that may not see all of them, the others are left out.
    """

    stored: int
    counts: Mapping[str, int]
    items: Sequence[Item] = ()

    def __getitem__(self, key: str) -> int:
        """Return a counter, 0 when nothing was counted."""
        return self.counts.get(key, 0)


@dataclass(frozen=True, slots=True)
class Score:
    """What an answer is worth: `correct`, and its points before the streak's."""

    correct: bool
    points: int


@dataclass(frozen=True, slots=True)
class Example:
    """A configuration and an answer to it, as JSON, for those who read about a type."""

    config: Mapping[str, Any]
    answer: Mapping[str, Any]


class ActivityType(Generic[Config, Answer]):
    """A type of activity. An instance holds nothing: there is one for each type.

    `scored` says that answers get points, which the leaderboard counts. `words` says that answers
    hold participants' own words: their counters have labels, banned words are refused, and hosts
    moderate them. `always_changeable` says that an answer grows while the activity is open, as
    up-votes do, so it can be changed whatever the activity's switch says.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    config: type[Config]
    answer: type[Answer]
    example: ClassVar[Example]
    scored: ClassVar[bool] = False
    words: ClassVar[bool] = False
    always_changeable: ClassVar[bool] = False

    def check(self, config: Config, answer: Answer) -> Answer:
        """Return a valid answer as it is stored, so that equal answers are equal.

        Raises `InvalidInput`, made by `refusal`, for an answer that doesn't fit the configuration.
        """
        raise NotImplementedError

    def tally(self, config: Config, answer: Answer) -> Sequence[Count]:
        """Return what an answer adds to the counters of its round, each key at most once."""
        raise NotImplementedError

    def result(self, config: Config, tally: Tally, *, revealed: bool) -> dict[str, Any]:
        """Return the result as JSON, from counters alone.

        It holds nothing of correct answers unless `revealed`. An empty tally has a result too.
        """
        raise NotImplementedError

    def public(self, config: Config) -> dict[str, Any]:
        """Return the configuration as participants see it: without correct answers."""
        return config.model_dump(mode="json")

    def score(
        self, config: Config, answer: Answer, *, seconds: float | None, limit: float | None
    ) -> Score | None:
        """Return what an answer is worth, which came `seconds` after its question was opened.

        `limit` is the timer's length in seconds, None without one. A participant with more time has
        a longer one. None means that the type has no points.
        """
        return None

    def texts(self, answer: Answer) -> Sequence[str]:
        """Return the participant's own words in an answer, in which banned words are looked for."""
        return ()

    def needs(self, answer: Answer) -> Sequence[str]:
        """Return keys of counters that other answers should have made already."""
        return ()

    @final
    def parse_config(self, value: Any) -> Config:
        """Return a configuration from JSON. Raises `InvalidInput`."""
        return _parse(self.config, value, "config")

    @final
    def parse_answer(self, config: Config, value: Any) -> Answer:
        """Return a checked answer from JSON. Raises `InvalidInput`."""
        return self.check(config, _parse(self.answer, value, "answer"))


def refusal(field: str, message: str, code: str) -> InvalidInput:
    """Return the error for an answer or a configuration that doesn't fit."""
    return InvalidInput([FieldError(field=field, message=message, code=code)])


Model = TypeVar("Model", bound=BaseModel)


def _parse(model: type[Model], value: Any, where: str) -> Model:
    try:
        return model.model_validate(value)
    except ValidationError as error:
        lines = error.errors(include_url=False)
        raise invalid_input(
            [{**line, "loc": ("body", where, *line["loc"])} for line in lines]
        ) from None


@cache
def all_types() -> dict[str, ActivityType[Any, Any]]:
    """Return the types by name. Raises `TypeError` for two of one name."""
    found: dict[str, ActivityType[Any, Any]] = {}
    for kind in _declared():
        if kind.name in found:
            raise TypeError(f"Two types of activities are named {kind.name}.")
        found[kind.name] = kind()
    return dict(sorted(found.items()))


def _declared() -> Iterator[type[ActivityType[Any, Any]]]:
    folder = importlib.import_module(_FOLDER)
    for module in pkgutil.iter_modules(folder.__path__, f"{_FOLDER}."):
        for value in vars(importlib.import_module(module.name)).values():
            is_type = isinstance(value, type) and issubclass(value, ActivityType)
            if is_type and value.__module__ == module.name and "name" in value.__dict__:
                yield value
