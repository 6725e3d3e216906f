from typing import Any


def test_equal_texts_are_merged(activities: Any) -> None:
    """Two that differ in case alone are one with 2; lines become one."""
    texts = activities("open_text", {}).answer(
        {"texts": ["More breaks"]}, {"texts": ["more\n breaks "]}, {"texts": ["Less slides"]}
    )
    result = texts.result()
    assert result["answers"] == 3
    assert result["left_out"] == 0
    assert [(text["text"], text["count"]) for text in result["texts"]] == [
        ("More breaks", 2),
        ("Less slides", 1),
    ]


def test_several_texts(activities: Any) -> None:
    """With `max_texts` an answer has several, each counted once."""
    texts = activities("open_text", {"max_texts": 2})
    assert texts.checked({"texts": ["b", "a", "B"]}) == {"texts": ["a", "b"]}
    assert texts.refused({"texts": ["a", "b", "c"]}) == ("answer.texts", "too_many_texts")


def test_the_greatest_length(activities: Any) -> None:
    """500 characters are a text, 501 are none; the activity may say less."""
    assert activities("open_text", {}).checked({"texts": ["é" * 500]})
    assert activities("open_text", {}).refused({"texts": ["é" * 501]})[1] == "value_error"
    short = activities("open_text", {"max_length": 10})
    assert short.refused({"texts": ["x" * 11]}) == ("answer.texts", "too_long")
