from typing import Any

DAY = {
    "questions": [
        {
            "kind": "choice",
            "title": "Which sessions did you see?",
            "options": [{"text": "Morning"}, {"text": "Noon"}, {"text": "Evening"}],
            "max_choices": 3,
        },
        {"kind": "scale", "title": "How was it?", "required": True},
        {"kind": "text", "title": "What should change?", "max_length": 20},
    ]
}


def test_each_question_has_a_result(activities: Any) -> None:
    """Three participants: two chose, all rated, two wrote the same."""
    survey = activities("survey", DAY).answer(
        {"choices": {"a": ["c", "a"]}, "ratings": {"b": 5}, "texts": {"c": "More breaks"}},
        {"choices": {"a": ["a"]}, "ratings": {"b": 2}, "texts": {"c": "more breaks"}},
        {"ratings": {"b": 2}},
    )
    result = survey.result()
    (text,) = result["questions"]["c"].pop("texts")
    assert (text["text"], text["count"]) == ("More breaks", 2)
    assert result == {
        "answers": 3,
        "questions": {
            "a": {"answers": 2, "counts": {"a": 2, "b": 0, "c": 1}},
            "b": {
                "answers": 3,
                "ratings": 3,
                "counts": {"1": 0, "2": 2, "3": 0, "4": 0, "5": 1},
                "mean": 3.0,
                "median": 2.0,
            },
            "c": {"answers": 2, "left_out": 0},
        },
    }


def test_equal_answers_are_equal(activities: Any) -> None:
    """The order of questions and of choices means nothing."""
    survey = activities("survey", DAY)
    assert survey.checked({"ratings": {"b": 1}, "choices": {"a": ["c", "a"]}}) == {
        "choices": {"a": ["a", "c"]},
        "ratings": {"b": 1},
        "texts": {},
    }


def test_equal_texts_of_two_questions_are_counted_apart(activities: Any) -> None:
    """A text belongs to its question."""
    config = {"questions": [{"kind": "text", "title": "Good?"}, {"kind": "text", "title": "Bad?"}]}
    survey = activities("survey", config).answer({"texts": {"a": "Food", "b": "Food"}})
    for question in survey.result()["questions"].values():
        assert [(text["text"], text["count"]) for text in question["texts"]] == [("Food", 1)]


def test_answers_that_do_not_fit(activities: Any) -> None:
    """Each question has its own rules, and required ones are required."""
    survey = activities("survey", DAY)
    rated = {"ratings": {"b": 1}}
    assert survey.refused({}) == ("answer", "not_answered")
    assert survey.refused({"ratings": {"b": 6}}) == ("answer.ratings.b", "outside_scale")
    assert survey.refused({**rated, "choices": {"a": ["x"]}}) == (
        "answer.choices.a",
        "unknown_option",
    )
    assert survey.refused({**rated, "texts": {"c": "x" * 21}}) == ("answer.texts.c", "too_long")
    assert survey.refused({**rated, "texts": {"a": "x"}}) == ("answer.texts", "unknown_question")
    assert survey.refused({**rated, "choices": {"z": ["a"]}}) == (
        "answer.choices",
        "unknown_question",
    )
    assert survey.refused({**rated, "votes": {}})[1] == "extra_forbidden"


def test_configurations_that_do_not_fit(activities: Any) -> None:
    """Kinds that are none, and more counters than a round may have, are refused."""
    assert "tag" in activities.refused("survey", {"questions": [{"kind": "x", "title": "?"}]})
    assert activities.refused("survey", {"questions": []})
    scale = {"kind": "scale", "minimum": 0, "maximum": 100}
    many = [{**scale, "title": f"Question {number}"} for number in range(10)]
    assert "at most 1000" in activities.refused("survey", {"questions": many})
    assert activities("survey", {"questions": many[:9]})
