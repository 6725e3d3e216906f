from typing import Any

from live.text import key_of


def counts_of(result: dict[str, Any]) -> list[tuple[str, int]]:
    """Words and their counts, in the order of the result."""
    return [(word["text"], word["count"]) for word in result["words"]]


def test_equal_words_weigh_together(activities: Any) -> None:
    """Five times Grün and one grün with spaces are 6, 日本語 twice 2, and naïve 1."""
    cloud = activities("word_cloud", {}).answer(
        *[{"words": ["Grün"]}] * 5,
        {"words": [" grün "]},
        *[{"words": ["日本語"]}] * 2,
        {"words": ["naïve"]},
    )
    assert counts_of(cloud.result()) == [("Grün", 6), ("日本語", 2), ("naïve", 1)]
    assert cloud.result()["answers"] == 9


def test_repeats_of_one_participant_count_once(activities: Any) -> None:
    """However it is written, a word is one word in one answer, as it was written first."""
    cloud = activities("word_cloud", {"max_words": 2})
    answer = {"words": ["Rot", "ROT", " rot\u200b", "blau", "Rot"]}
    assert cloud.checked(answer) == {"words": ["blau", "Rot"]}
    assert sorted(counts_of(cloud.answer(answer).result())) == [("Rot", 1), ("blau", 1)]


def test_accents_make_another_word(activities: Any) -> None:
    """naïve and naive are two words."""
    cloud = activities("word_cloud", {}).answer({"words": ["naïve", "naive", "Naïve"]})
    assert sorted(counts_of(cloud.result())) == [("naive", 1), ("naïve", 1)]


def test_a_result_is_cut_at_its_length(activities: Any) -> None:
    """The two most frequent of three words are listed, and one is left out."""
    cloud = activities("word_cloud", {"max_listed": 2}).answer(
        {"words": ["a", "b", "c"]}, {"words": ["b", "c"]}, {"words": ["c"]}
    )
    assert counts_of(cloud.result()) == [("c", 3), ("b", 2)]
    assert cloud.result()["left_out"] == 1


def test_words_that_were_taken_back_are_gone(activities: Any) -> None:
    """A counter of zero is no word."""
    cloud = activities("word_cloud", {}).answer({"words": ["a", "b"]})
    cloud.counts[key_of("a")] -= 1
    assert counts_of(cloud.result()) == [("b", 1)]


def test_the_moderator_sees_what_is_hidden(activities: Any) -> None:
    """A word carries its state, for those who get to see hidden ones."""
    cloud = activities("word_cloud", {}).answer({"words": ["a"]}).mark(key_of("a"), state="hidden")
    assert cloud.result()["words"] == [
        {
            "key": key_of("a"),
            "text": "a",
            "count": 1,
            "state": "hidden",
            "pinned": False,
            "answered": False,
        }
    ]


def test_answers_that_do_not_fit(activities: Any) -> None:
    """Too many different words, one that is too long, and none are refused."""
    cloud = activities("word_cloud", {"max_words": 2, "max_length": 5})
    assert cloud.refused({"words": ["a", "b", "c"]}) == ("answer.words", "too_many_words")
    assert cloud.refused({"words": ["abcdef"]}) == ("answer.words", "too_long")
    assert cloud.refused({"words": []}) == ("answer.words", "too_short")
    assert cloud.refused({"words": ["x" * 51]}) == ("answer.words.0", "value_error")
    assert cloud.refused({"words": ["a\0"]}) == ("answer.words.0", "value_error")
    assert cloud.refused({"words": ["\u200b"]}) == ("answer.words.0", "value_error")
    assert cloud.refused({"words": ["a"] * 51}) == ("answer.words", "too_long")


def test_the_participants_words_are_looked_at(activities: Any) -> None:
    """Banned words are looked for in each word."""
    cloud = activities("word_cloud", {})
    answer = cloud.kind.parse_answer(cloud.config, {"words": ["b", "a"]})
    assert cloud.kind.texts(answer) == ["a", "b"]
