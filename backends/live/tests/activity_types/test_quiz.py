from typing import Any

import pytest

CAPITAL = {
    "options": [{"text": "Bern", "correct": True}, {"text": "Zürich"}, {"text": "Geneva"}],
    "explanation": "Since 1848.",
}
PRIMES = {
    "options": [
        {"text": "2", "correct": True},
        {"text": "3", "correct": True},
        {"text": "4"},
        {"text": "9"},
    ],
    "multiple": True,
}


def test_before_and_after_the_reveal(activities: Any) -> None:
    """Counts alone before it, then the correct option, how many were right, and why."""
    quiz = activities("quiz", CAPITAL).answer(
        {"choices": ["a"]}, {"choices": ["b"]}, {"choices": ["a"]}
    )
    counts = {"answers": 3, "counts": {"a": 2, "b": 1, "c": 0}}
    assert quiz.result() == counts
    assert quiz.result(revealed=True) == {
        **counts,
        "correct": ["a"],
        "right": 2,
        "explanation": "Since 1848.",
    }


def test_participants_see_no_correct_option(activities: Any) -> None:
    """The question is public without correct options and explanation."""
    quiz = activities("quiz", CAPITAL)
    assert quiz.kind.public(quiz.config) == {
        "options": [
            {"id": "a", "text": "Bern"},
            {"id": "b", "text": "Zürich"},
            {"id": "c", "text": "Geneva"},
        ],
        "multiple": False,
        "points": 1000,
        "speed": True,
        "credit": "strict",
    }


@pytest.mark.parametrize(
    ("seconds", "limit", "points"),
    [
        (0.0, 20.0, 1000),
        (0.5, 20.0, 1000),  # Kahoot: full points within half a second
        (0.6, 20.0, 985),  # 1000 * (1 - 0.6 / 20 / 2)
        (2.0, 30.0, 967),  # 1000 * (1 - 2 / 30 / 2) = 966.7, Kahoot's own example
        (10.0, 20.0, 750),
        (20.0, 20.0, 500),
        (21.9, 20.0, 500),  # in the grace after the end
        (-3.0, 20.0, 1000),
        (10.0, None, 1000),
        (None, 20.0, 1000),
        (10.0, 0.0, 1000),
    ],
)
def test_points_fall_with_time(
    activities: Any, seconds: float | None, limit: float | None, points: int
) -> None:
    """Kahoot's formula, and full points where there is no clock."""
    assert activities("quiz", CAPITAL).score({"choices": ["a"]}, seconds, limit) == (True, points)


def test_a_wrong_answer_gets_nothing(activities: Any) -> None:
    """However quick it was."""
    assert activities("quiz", CAPITAL).score({"choices": ["b"]}, 0.1, 20.0) == (False, 0)


def test_without_speed_each_right_answer_is_worth_the_same(activities: Any) -> None:
    """With `speed` off, the last second is as good as the first."""
    quiz = activities("quiz", {**CAPITAL, "speed": False, "points": 2000})
    assert quiz.score({"choices": ["a"]}, 19.0, 20.0) == (True, 2000)


def test_a_question_without_points_is_still_right_or_wrong(activities: Any) -> None:
    """0 points: a streak goes on, the leaderboard doesn't change."""
    quiz = activities("quiz", {**CAPITAL, "points": 0})
    assert quiz.score({"choices": ["a"]}) == (True, 0)
    assert quiz.score({"choices": ["b"]}) == (False, 0)


@pytest.mark.parametrize(
    ("choices", "correct", "strict", "partial"),
    [
        (["a", "b"], True, 1000, 1000),
        (["a"], False, 0, 500),  # (1 - 0) / 2
        (["a", "c"], False, 0, 0),  # (1 - 1) / 2
        (["a", "b", "c"], False, 0, 500),  # (2 - 1) / 2
        (["a", "b", "c", "d"], False, 0, 0),  # (2 - 2) / 2
        (["c"], False, 0, 0),
    ],
)
def test_partial_credit(
    activities: Any, choices: list[str], correct: bool, strict: int, partial: int
) -> None:
    """Correct choices less wrong ones, of all correct ones: choosing everything gains nothing."""
    answer = {"choices": choices}
    assert activities("quiz", PRIMES).score(answer) == (correct, strict)
    quiz = activities("quiz", {**PRIMES, "credit": "partial"})
    assert quiz.score(answer) == (correct, partial)
    assert quiz.score(answer, 20.0, 20.0) == (correct, partial // 2)


def test_one_of_several_correct_options_is_enough_for_a_single_choice(activities: Any) -> None:
    """Without `multiple` each correct option is a right answer."""
    quiz = activities("quiz", {**PRIMES, "multiple": False}).answer(
        {"choices": ["a"]}, {"choices": ["b"]}, {"choices": ["c"]}
    )
    assert quiz.score({"choices": ["b"]}) == (True, 1000)
    assert quiz.result(revealed=True)["right"] == 2
    assert quiz.refused({"choices": ["a", "b"]}) == ("answer.choices", "too_many_choices")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"options": [{"text": "a"}, {"text": "b"}]}, "At least one option should be correct"),
        ({"points": 2001}, "less than or equal to 2000"),
        ({"points": -1}, "greater than or equal to 0"),
        ({"speed": 1}, "valid boolean"),
        ({"credit": "lenient"}, "'strict' or 'partial'"),
        ({"options": [{"text": "a", "correct": "yes"}, {"text": "b"}]}, "valid boolean"),
    ],
)
def test_configurations_that_do_not_fit(
    activities: Any, changes: dict[str, Any], message: str
) -> None:
    """Questions that nobody can answer rightly, and points out of bounds, are refused."""
    assert message in activities.refused("quiz", {**CAPITAL, **changes})
