from typing import Any

from live.text import key_of

LUNCH, SLIDES, WIFI = key_of("When is lunch?"), key_of("Where are the slides?"), key_of("Wi-Fi?")


def votes_of(result: dict[str, Any]) -> list[tuple[str, int]]:
    """Questions and their votes, in the order of the result."""
    return [(question["text"], question["count"]) for question in result["questions"]]


def test_questions_and_votes(activities: Any) -> None:
    """Two askers of one question and one vote are 3; another question has its asker's vote."""
    board = activities("questions", {}).answer(
        {"questions": ["When is lunch?"]},
        {"questions": ["when is LUNCH? ", "Where are the slides?"]},
        {"votes": [LUNCH]},
    )
    assert board.result()["answers"] == 3
    assert votes_of(board.result()) == [("When is lunch?", 3), ("Where are the slides?", 1)]


def test_one_vote_for_each_participant_and_question(activities: Any) -> None:
    """A vote that is repeated, or that is for one's own question, counts once."""
    board = activities("questions", {})
    answer = {"questions": ["When is lunch?"], "votes": [SLIDES, LUNCH, SLIDES]}
    assert board.checked(answer) == {"questions": ["When is lunch?"], "votes": [SLIDES]}


def test_votes_need_their_questions(activities: Any) -> None:
    """A vote names a counter that others made; an own question needs none."""
    board = activities("questions", {})
    answer = board.kind.parse_answer(board.config, {"questions": ["Wi-Fi?"], "votes": [LUNCH]})
    assert board.kind.needs(answer) == [LUNCH]
    assert board.kind.texts(answer) == ["Wi-Fi?"]
    assert board.kind.always_changeable


def test_pinned_first_and_answered_last(activities: Any) -> None:
    """Moderators' marks come before votes."""
    board = activities("questions", {}).answer(
        {"questions": ["When is lunch?", "Where are the slides?", "Wi-Fi?"]},
        {"votes": [LUNCH, SLIDES]},
        {"votes": [LUNCH]},
    )
    board.mark(LUNCH, answered=True).mark(WIFI, pinned=True)
    assert votes_of(board.result()) == [
        ("Wi-Fi?", 1),
        ("Where are the slides?", 2),
        ("When is lunch?", 3),
    ]


def test_everything_can_be_taken_back(activities: Any) -> None:
    """An answer without questions and votes is one, so the last vote can be undone."""
    assert activities("questions", {}).checked({}) == {"questions": [], "votes": []}


def test_answers_that_do_not_fit(activities: Any) -> None:
    """Four questions, more votes than allowed, and what is no key are refused."""
    board = activities("questions", {"max_questions": 1, "max_votes": 1})
    assert board.refused({"questions": ["a", "b", "c", "d"]}) == ("answer.questions", "too_long")
    assert board.refused({"questions": ["a", "b"]}) == ("answer.questions", "too_many_questions")
    assert board.refused({"votes": [LUNCH, WIFI]}) == ("answer.votes", "too_many_votes")
    assert board.refused({"votes": ["lunch"]})[1] == "string_pattern_mismatch"
    assert board.refused({"votes": [LUNCH.upper()]})[1] == "string_pattern_mismatch"
    assert board.refused({"votes": [LUNCH] * 101}) == ("answer.votes", "too_long")
