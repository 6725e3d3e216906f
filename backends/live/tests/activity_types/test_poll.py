from typing import Any

import jsonschema
import pytest

COLOURS = {"options": [{"text": "Red"}, {"text": "Blue"}, {"text": "Grey"}]}
SEVERAL = {**COLOURS, "min_choices": 2, "max_choices": 3}


def test_a_single_choice(activities: Any) -> None:
    """Three votes for two of three options are 2, 0 and 1."""
    poll = activities("poll", COLOURS).answer(
        {"choices": ["a"]}, {"choices": ["c"]}, {"choices": ["a"]}
    )
    assert poll.result() == {"answers": 3, "counts": {"a": 2, "b": 0, "c": 1}}


def test_several_choices(activities: Any) -> None:
    """Two answers with five choices together are 2, 2 and 1 of 2 answers."""
    poll = activities("poll", SEVERAL).answer({"choices": ["a", "b"]}, {"choices": ["c", "b", "a"]})
    assert poll.result() == {"answers": 2, "counts": {"a": 2, "b": 2, "c": 1}}


def test_nobody_answered(activities: Any) -> None:
    """A poll without answers has a result: each option was chosen by none."""
    assert activities("poll", COLOURS).result() == {
        "answers": 0,
        "counts": {"a": 0, "b": 0, "c": 0},
    }


def test_equal_answers_are_equal(activities: Any) -> None:
    """The order in which options are chosen means nothing."""
    poll = activities("poll", SEVERAL)
    assert poll.checked({"choices": ["c", "a"]}) == poll.checked({"choices": ["a", "c"]})


@pytest.mark.parametrize(
    ("name", "field", "fields"),
    [
        ("poll", "options", {}),
        ("quiz", "options", {}),
        ("ranking", "options", {}),
        ("scale", "statements", {}),
        ("survey", "options", {"kind": "choice", "title": "Which?"}),
    ],
)
def test_an_option_may_be_a_text_alone(
    activities: Any, name: str, field: str, fields: dict[str, Any]
) -> None:
    """Texts and objects may stand beside each other, in every type, and the schema says so."""
    second = {"text": "Blue", **({"correct": True} if name == "quiz" else {})}

    def config(first: object) -> dict[str, Any]:
        options = {**fields, field: [first, second]}
        return {"questions": [options]} if fields else options

    made = activities(name, config("Red"))
    assert made.config == activities(name, config({"text": "Red"})).config
    jsonschema.validate(config("Red"), made.kind.config.model_json_schema())
    activities.refused(name, config("\0"))
    activities.refused(name, config(""))
    assert activities.refused(name, config("blue")) == "Texts should differ"


def test_participants_see_the_options_with_their_ids(activities: Any) -> None:
    """Ids are those that were given, else the next letters that are free."""
    options = [{"text": "Red"}, {"text": "Blue", "id": "a"}, {"text": "Grey"}]
    poll = activities("poll", {"options": options})
    assert poll.kind.public(poll.config) == {
        "options": [
            {"id": "b", "text": "Red"},
            {"id": "a", "text": "Blue"},
            {"id": "c", "text": "Grey"},
        ],
        "min_choices": 1,
        "max_choices": 1,
    }


def test_ids_go_on_after_z(activities: Any) -> None:
    """The 27th option is aa, the 50th ax."""
    poll = activities("poll", {"options": [{"text": f"Option {n}"} for n in range(50)]})
    assert [option.id for option in poll.config.options][25:27] == ["z", "aa"]
    assert poll.config.options[-1].id == "ax"


@pytest.mark.parametrize(
    ("config", "choices", "code"),
    [
        (COLOURS, ["a", "b"], "too_many_choices"),
        (COLOURS, [], "too_short"),
        (COLOURS, ["d"], "unknown_option"),
        (COLOURS, ["A"], "unknown_option"),
        (COLOURS, ["a b"], "string_pattern_mismatch"),
        (COLOURS, "a", "list_type"),
        (COLOURS, [1], "string_type"),
        (SEVERAL, ["a"], "too_few_choices"),
        (SEVERAL, ["a", "a"], "repeated_option"),
        (SEVERAL, ["a"] * 100_000, "too_long"),
    ],
)
def test_answers_that_do_not_fit(
    activities: Any, config: dict[str, Any], choices: object, code: str
) -> None:
    """Unknown, repeated, too few and too many choices are refused, each with its own code."""
    field, refused = activities("poll", config).refused({"choices": choices})
    assert (field.startswith("answer.choices"), refused) == (True, code)


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"options": [{"text": "Red"}, {"text": " rED\u200b"}]}, "Texts should differ"),
        (
            {"options": [{"text": "Red", "id": "a"}, {"text": "Blue", "id": "a"}]},
            "Ids should differ",
        ),
        ({**COLOURS, "max_choices": 4}, "min_choices should not exceed max_choices"),
        ({**COLOURS, "min_choices": 2}, "min_choices should not exceed max_choices"),
        ({"options": [{"text": "Red"}]}, "at least 2"),
        ({"options": [{"text": "Red"}, {"text": "\ufe0f"}]}, "visible"),
        ({**COLOURS, "colour": "red"}, "not permitted"),
        ({**COLOURS, "max_choices": True}, "valid integer"),
        pytest.param({**COLOURS, "max_choices": 10**400}, "less than or equal to 50", id="huge"),
    ],
)
def test_configurations_that_do_not_fit(activities: Any, config: object, message: str) -> None:
    """Options that look the same, and numbers of choices that can't be, are refused."""
    assert message in activities.refused("poll", config)
