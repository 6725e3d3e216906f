from typing import Any

import pytest

TALK = {"statements": [{"text": "Good pace"}, {"text": "I learned something"}]}


def test_mean_median_and_distribution(activities: Any) -> None:
    """Ratings 1, 4, 4, 5 have the mean 3.5 and the median 4; of 2, 3, 5, 5 it is 3.75 and 4."""
    scale = activities("scale", TALK).answer(
        {"ratings": {"a": 1, "b": 2}},
        {"ratings": {"a": 4, "b": 3}},
        {"ratings": {"a": 4, "b": 5}},
        {"ratings": {"b": 5, "a": 5}},
    )
    assert scale.result() == {
        "answers": 4,
        "statements": {
            "a": {
                "ratings": 4,
                "counts": {"1": 1, "2": 0, "3": 0, "4": 2, "5": 1},
                "mean": 3.5,
                "median": 4.0,
            },
            "b": {
                "ratings": 4,
                "counts": {"1": 0, "2": 1, "3": 1, "4": 0, "5": 2},
                "mean": 3.75,
                "median": 4.0,
            },
        },
    }


def test_nobody_answered(activities: Any) -> None:
    """There is no mean of nothing."""
    result = activities("scale", {"statements": [{"text": "x"}], "maximum": 2}).result()
    assert result["statements"]["a"] == {
        "ratings": 0,
        "counts": {"1": 0, "2": 0},
        "mean": None,
        "median": None,
    }


def test_a_scale_around_zero(activities: Any) -> None:
    """Ratings -2 and 1 have the mean -0.5."""
    config = {"statements": [{"text": "x"}], "minimum": -2, "maximum": 2}
    scale = activities("scale", config).answer({"ratings": {"a": -2}}, {"ratings": {"a": 1}})
    assert scale.result()["statements"]["a"]["mean"] == -0.5
    assert scale.result()["statements"]["a"]["median"] == -0.5


def test_statements_may_be_skipped(activities: Any) -> None:
    """Only when the configuration says so; the mean is of those who rated."""
    answer = {"ratings": {"b": 2}}
    assert activities("scale", TALK).refused(answer) == ("answer.ratings", "not_rated")
    scale = activities("scale", {**TALK, "skippable": True}).answer(answer)
    assert scale.result()["statements"]["a"]["ratings"] == 0
    assert scale.result()["statements"]["b"]["mean"] == 2.0


@pytest.mark.parametrize(
    ("ratings", "code"),
    [
        ({"a": 6, "b": 1}, "outside_scale"),
        ({"a": 0, "b": 1}, "outside_scale"),
        ({"a": True, "b": 1}, "int_type"),
        ({"a": "3", "b": 1}, "int_type"),
        ({"a": 1.5, "b": 1}, "int_from_float"),
        pytest.param({"a": 10**400, "b": 1}, "less_than_equal", id="huge"),
        ({"a": 1, "b": 1, "c": 1}, "unknown_option"),
        ({}, "too_short"),
        ({"a": float("nan"), "b": 1}, "finite_number"),
    ],
)
def test_answers_that_do_not_fit(activities: Any, ratings: object, code: str) -> None:
    """What isn't on the scale, or no whole number, is refused."""
    assert activities("scale", TALK).refused({"ratings": ratings})[1] == code


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"minimum": 5, "maximum": 5}, "maximum should be 1 to 100 above minimum"),
        ({"minimum": 0, "maximum": 101}, "less than or equal to 100"),
        ({"minimum": -50, "maximum": 51}, "maximum should be 1 to 100 above minimum"),
        (
            {"maximum": 100, "statements": [{"text": f"Statement {n}"} for n in range(11)]},
            "at most 1000",
        ),
        ({"statements": []}, "at least 1"),
    ],
)
def test_configurations_that_do_not_fit(
    activities: Any, changes: dict[str, Any], message: str
) -> None:
    """A scale has 2 to 101 ratings, and all statements together 1000."""
    assert message in activities.refused("scale", {**TALK, **changes})
