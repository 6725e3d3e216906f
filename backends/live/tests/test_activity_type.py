"""What holds for the contract itself: where types are found, and what refused input looks like."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from bedplate.problems import InvalidInput
from live import activity_types
from live.activity_type import Score, Tally, all_types

ALL = {
    "estimate",
    "matching",
    "open_text",
    "planning_poker",
    "poll",
    "questions",
    "quiz",
    "ranking",
    "scale",
    "survey",
    "word_cloud",
}

COIN = """
from live.activity_type import ActivityType, Count, Example
from bedplate.schemas import Schema
from typing import Literal

class CoinConfig(Schema):
    pass

class CoinAnswer(Schema):
    side: Literal["heads", "tails"]

class Coin(ActivityType[CoinConfig, CoinAnswer]):
    name = "coin"
    title = "Coin"
    config = CoinConfig
    answer = CoinAnswer
    example = Example(config={}, answer={"side": "heads"})

    def check(self, config, answer):
        return answer

    def tally(self, config, answer):
        return [Count(answer.side)]

    def result(self, config, tally, *, revealed):
        return {side: tally[side] for side in ("heads", "tails")}
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A second folder of types, which is gone after the test."""
    monkeypatch.syspath_prepend(tmp_path)  # importlib's caches are cleared with it
    monkeypatch.setattr(activity_types, "__path__", [*activity_types.__path__, str(tmp_path)])
    all_types.cache_clear()
    yield tmp_path
    for name in ("coin", "again"):
        monkeypatch.delitem(__import__("sys").modules, f"live.activity_types.{name}", raising=False)
        if hasattr(activity_types, name):
            delattr(activity_types, name)
    all_types.cache_clear()


def test_the_types_that_are_there() -> None:
    """Each type is found by its name, in the order of the names."""
    assert list(all_types()) == sorted(ALL)
    assert [kind.name for kind in all_types().values()] == sorted(ALL)


def test_a_new_type_is_one_module(folder: Path) -> None:
    """A module in the folder is all that a type needs, and an activity can use it."""
    (folder / "coin.py").write_text(COIN)
    assert set(all_types()) == {*ALL, "coin"}
    coin = all_types()["coin"]
    config = coin.parse_config({})
    answer = coin.parse_answer(config, {"side": "tails"})
    (count,) = coin.tally(config, answer)
    assert coin.result(config, Tally(1, {count.key: 1}), revealed=False) == {
        "heads": 0,
        "tails": 1,
    }
    assert coin.public(config) == {}
    assert coin.score(config, answer, seconds=1, limit=2) is None
    assert not coin.texts(answer)
    assert not coin.needs(answer)


def test_two_types_of_one_name_are_refused(folder: Path) -> None:
    """A name that is taken is an error at the start, not a type that hides another."""
    (folder / "coin.py").write_text(COIN)
    (folder / "again.py").write_text(COIN)
    with pytest.raises(TypeError, match="coin"):
        all_types()


def test_the_folder_is_as_it_was() -> None:
    """The tests above leave nothing behind."""
    assert set(all_types()) == ALL


def test_refused_input_names_its_fields() -> None:
    """An error names the field below `config` or `answer`, and never the value."""
    poll = all_types()["poll"]
    with pytest.raises(InvalidInput) as refused:
        poll.parse_config({"options": [{"text": "Red"}, {"text": "\0secret"}], "max_choices": True})
    assert [error["field"] for error in refused.value.members["errors"]] == [  # type: ignore[attr-defined]
        "config.options.1.text",
        "config.max_choices",
    ]
    assert "secret" not in str(refused.value.members)


def test_an_unknown_field_of_any_name_can_be_written() -> None:
    """A refused field's name is cut, and holds no character that JSON can't."""
    poll = all_types()["poll"]
    with pytest.raises(InvalidInput) as refused:
        poll.parse_answer(
            poll.parse_config({"options": [{"text": "Red"}, {"text": "Blue"}]}),
            {"choices": ["a"], "x" * 100_000: 1, "\ud800": 2},
        )
    for error in refused.value.members["errors"]:  # type: ignore[attr-defined]
        assert len(error["field"].encode()) <= 200


def test_equal_scores_are_equal() -> None:
    """Scores are values."""
    assert Score(correct=True, points=1) == Score(correct=True, points=1)
