from typing import Any

OPTIONS = [{"text": "Price"}, {"text": "Quality"}, {"text": "Service"}, {"text": "Style"}]


def test_borda_points_and_mean_place(activities: Any) -> None:
    """Of four places the first is worth 4 and the last 1; equal points share a rank."""
    ranking = activities("ranking", {"options": OPTIONS}).answer(
        {"order": ["a", "b", "c", "d"]},
        {"order": ["a", "c", "b", "d"]},
    )
    assert ranking.result() == {
        "answers": 2,
        "options": {
            "a": {"points": 8, "rank": 1, "mean_place": 1.0, "places": [2, 0, 0, 0]},
            "b": {"points": 5, "rank": 2, "mean_place": 2.5, "places": [0, 1, 1, 0]},
            "c": {"points": 5, "rank": 2, "mean_place": 2.5, "places": [0, 1, 1, 0]},
            "d": {"points": 2, "rank": 4, "mean_place": 4.0, "places": [0, 0, 0, 2]},
        },
    }


def test_the_best_few(activities: Any) -> None:
    """With `top` 2 the first is worth 2, the second 1, and the others nothing."""
    ranking = activities("ranking", {"options": OPTIONS, "top": 2}).answer(
        {"order": ["b", "a"]}, {"order": ["b", "c"]}
    )
    options = ranking.result()["options"]
    assert {key: option["points"] for key, option in options.items()} == {
        "a": 1,
        "b": 4,
        "c": 1,
        "d": 0,
    }
    assert [option["rank"] for option in options.values()] == [2, 1, 2, 4]
    assert options["d"] == {"points": 0, "rank": 4, "mean_place": None, "places": [0, 0]}


def test_answers_that_do_not_fit(activities: Any) -> None:
    """Too few or too many places, repeated and unknown options are refused."""
    ranking = activities("ranking", {"options": OPTIONS, "top": 2})
    assert ranking.refused({"order": ["a"]}) == ("answer.order", "wrong_number_of_places")
    assert ranking.refused({"order": ["a", "b", "c"]})[1] == "wrong_number_of_places"
    assert ranking.refused({"order": ["a", "a"]}) == ("answer.order", "repeated_option")
    assert ranking.refused({"order": ["a", "x"]}) == ("answer.order", "unknown_option")


def test_configurations_that_do_not_fit(activities: Any) -> None:
    """There are never more places than options."""
    message = activities.refused("ranking", {"options": OPTIONS, "top": 5})
    assert message == "top should not exceed the number of options"
