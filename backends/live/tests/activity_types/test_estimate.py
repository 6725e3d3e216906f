from typing import Any

import pytest

TOWER = {
    "minimum": 0,
    "maximum": 1000,
    "correct": 330,
    "tolerance": 10,
    "explanation": "330 m",
    "buckets": 4,
    "speed": False,
}


def test_histogram_and_mean(activities: Any) -> None:
    """1001 numbers in 4 bars: 0, 300, 320 and 1000 are 1, 2, 0, 1, with the mean 405."""
    estimate = activities("estimate", TOWER).answer(
        *({"value": value} for value in (0, 300, 320, 1000))
    )
    shown = {
        "answers": 4,
        "histogram": [
            {"minimum": 0.0, "maximum": 250.0, "count": 1},
            {"minimum": 251.0, "maximum": 500.0, "count": 2},
            {"minimum": 501.0, "maximum": 750.0, "count": 0},
            {"minimum": 751.0, "maximum": 1000.0, "count": 1},
        ],
        "mean": 405.0,
    }
    assert estimate.result() == shown
    assert estimate.result(revealed=True) == {
        **shown,
        "correct": 330.0,
        "tolerance": 10.0,
        "right": 1,
        "explanation": "330 m",
    }


def test_fewer_numbers_than_bars(activities: Any) -> None:
    """Three numbers make three bars of one number each, not ten."""
    config = {"minimum": -1, "maximum": 1, "correct": 0}
    estimate = activities("estimate", config).answer({"value": -1}, {"value": 1}, {"value": 1})
    assert estimate.result()["histogram"] == [
        {"minimum": -1.0, "maximum": -1.0, "count": 1},
        {"minimum": 0.0, "maximum": 0.0, "count": 0},
        {"minimum": 1.0, "maximum": 1.0, "count": 2},
    ]
    assert estimate.result()["mean"] == 0.33


def test_decimals(activities: Any) -> None:
    """Estimates are rounded to the activity's decimals: 0.1 + 0.2 is 0.3, and -0.01 is 0."""
    config = {"minimum": -1, "maximum": 1, "correct": 0.3, "decimals": 1, "speed": False}
    estimate = activities("estimate", config)
    assert estimate.checked({"value": 0.1 + 0.2}) == {"value": 0.3}
    assert str(estimate.checked({"value": -0.01})["value"]) == "0.0"
    assert estimate.score({"value": 0.1 + 0.2}) == (True, 1000)
    assert estimate.score({"value": 0.2}) == (False, 0)


@pytest.mark.parametrize(
    ("value", "correct", "strict", "partial"),
    [
        (330, True, 1000, 1000),
        (320, True, 1000, 1000),
        (340, True, 1000, 1000),
        (341, False, 0, 900),  # 11 away: 2 - 11 / 10
        (345, False, 0, 500),
        (350, False, 0, 0),
        (1000, False, 0, 0),
    ],
)
def test_near_enough_is_right(
    activities: Any, value: int, correct: bool, strict: int, partial: int
) -> None:
    """Within the tolerance it is right; partial credit ends at twice the tolerance."""
    assert activities("estimate", TOWER).score({"value": value}) == (correct, strict)
    lenient = activities("estimate", {**TOWER, "credit": "partial"})
    assert lenient.score({"value": value}) == (correct, partial)


def test_without_tolerance_only_the_number_is_right(activities: Any) -> None:
    """Nor is there anything to be partly right."""
    estimate = activities("estimate", {**TOWER, "tolerance": 0, "credit": "partial"})
    assert estimate.score({"value": 330}) == (True, 1000)
    assert estimate.score({"value": 331}) == (False, 0)


def test_participants_see_the_range_alone(activities: Any) -> None:
    """The correct number, its tolerance and its explanation are hidden."""
    estimate = activities("estimate", TOWER)
    assert estimate.kind.public(estimate.config) == {
        "minimum": 0.0,
        "maximum": 1000.0,
        "decimals": 0,
        "unit": None,
        "buckets": 4,
        "points": 1000,
        "speed": False,
        "credit": "strict",
    }


@pytest.mark.parametrize(
    ("value", "code"),
    [
        (-0.1, "outside_range"),
        (1001, "outside_range"),
        (1e308, "less_than_equal"),
        pytest.param(10**400, "finite_number", id="huge"),
        pytest.param(-(10**400), "finite_number", id="-huge"),
        (float("nan"), "finite_number"),
        (True, "float_type"),
        ("330", "float_type"),
        (None, "float_type"),
    ],
)
def test_answers_that_do_not_fit(activities: Any, value: object, code: str) -> None:
    """Numbers out of the range and what is no number are refused."""
    assert activities("estimate", TOWER).refused({"value": value}) == ("answer.value", code)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"minimum": 1000}, "minimum should be below maximum"),
        ({"correct": 1001}, "correct should be within minimum and maximum"),
        ({"tolerance": 0.5}, "decimals"),
        ({"tolerance": -1}, "greater than or equal to 0"),
        ({"maximum": 1e10}, "less than or equal to 1000000000"),
        ({"buckets": 51}, "less than or equal to 50"),
    ],
)
def test_configurations_that_do_not_fit(
    activities: Any, changes: dict[str, Any], message: str
) -> None:
    """A range that is none, and a correct number out of it, are refused."""
    assert message in activities.refused("estimate", {**TOWER, **changes})


def test_the_greatest_range(activities: Any) -> None:
    """Sums of ten thousand of the greatest estimates are exact."""
    config = {"minimum": -1e9, "maximum": 1e9, "correct": 0, "decimals": 3}
    estimate = activities("estimate", config)
    answer = estimate.kind.parse_answer(estimate.config, {"value": 1e9})
    (_, total) = estimate.kind.tally(estimate.config, answer)
    assert total.amount == 2 * 10**12
    assert total.amount * 10_000 < 2**63
