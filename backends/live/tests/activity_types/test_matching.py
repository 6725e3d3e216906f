from typing import Any

from live.text import key_of

CAPITALS = {
    "pairs": [
        {"left": "France", "right": "Paris"},
        {"left": "Italy", "right": "Rome"},
        {"left": "Spain", "right": "Madrid"},
        {"left": "Austria", "right": "Vienna"},
    ],
    "extra": ["Bern"],
    "explanation": "Bern is Swiss.",
}
PARIS, ROME, MADRID, VIENNA, BERN = map(key_of, ("Paris", "Rome", "Madrid", "Vienna", "Bern"))
RIGHT = {"a": PARIS, "b": ROME, "c": MADRID, "d": VIENNA}


def test_before_and_after_the_reveal(activities: Any) -> None:
    """Who matched what before it, the pairs and how many had all of them right after it."""
    matching = activities("matching", CAPITALS).answer(
        {"matches": RIGHT}, {"matches": {"a": BERN, "b": ROME}}
    )
    seen = {
        "answers": 2,
        "counts": {
            "a": {PARIS: 1, BERN: 1},
            "b": {ROME: 2},
            "c": {MADRID: 1},
            "d": {VIENNA: 1},
        },
    }
    assert matching.result() == seen
    assert matching.result(revealed=True) == {
        **seen,
        "correct": RIGHT,
        "right": 1,
        "explanation": "Bern is Swiss.",
    }


def test_the_order_of_the_right_sides_means_nothing(activities: Any) -> None:
    """They are in the order of hashes of their texts: the same one when the pairs are others."""
    matching = activities("matching", CAPITALS)
    public = matching.kind.public(matching.config)
    keys = [side["key"] for side in public["right"]]
    assert keys == sorted([PARIS, ROME, MADRID, VIENNA, BERN])
    assert [side["text"] for side in public["left"]] == ["France", "Italy", "Spain", "Austria"]
    swapped = [
        {"left": left, "right": right}
        for left, right in (
            ("France", "Bern"),
            ("Italy", "Paris"),
            ("Spain", "Rome"),
            ("Austria", "Madrid"),
        )
    ]
    other = activities("matching", {**CAPITALS, "pairs": swapped, "extra": ["Vienna"]})
    assert other.kind.public(other.config) == public


def test_points(activities: Any) -> None:
    """All pairs are right; with partial credit 3 of 4 pairs are worth 750."""
    wrong = {"matches": {**RIGHT, "d": BERN}}
    left_out = {"matches": {"a": PARIS}}
    strict = activities("matching", CAPITALS)
    assert strict.score({"matches": RIGHT}) == (True, 1000)
    assert strict.score(wrong) == (False, 0)
    partial = activities("matching", {**CAPITALS, "credit": "partial"})
    assert partial.score(wrong) == (False, 750)
    assert partial.score(left_out) == (False, 250)
    assert partial.score(wrong, 10.0, 20.0) == (False, 563)  # 750 * 0.75 = 562.5


def test_answers_that_do_not_fit(activities: Any) -> None:
    """Unknown sides, and a right side that is used twice, are refused."""
    matching = activities("matching", CAPITALS)
    field = "answer.matches"
    assert matching.refused({"matches": {"x": PARIS}}) == (field, "unknown_option")
    assert matching.refused({"matches": {"a": key_of("Berlin")}}) == (field, "unknown_option")
    assert matching.refused({"matches": {"a": PARIS, "b": PARIS}}) == (field, "repeated_option")
    assert matching.refused({"matches": {}}) == (field, "too_short")
    assert matching.refused({"matches": {"a": "Paris"}})[1] == "string_pattern_mismatch"


def test_configurations_that_do_not_fit(activities: Any) -> None:
    """Sides that look the same are refused, also among the extra ones."""
    assert activities.refused("matching", {**CAPITALS, "extra": ["paris "]}) == (
        "Texts should differ"
    )
    twice = [{"left": "France", "right": "Paris"}, {"left": "FRANCE", "right": "Rome"}]
    assert activities.refused("matching", {"pairs": twice}) == "Texts should differ"
