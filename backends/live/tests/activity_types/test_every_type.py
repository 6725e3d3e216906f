"""What holds for every type of activity, with configurations and answers made at random.

A new type needs an entry in `CONFIGS` and `ANSWERS`; without one, the first test fails.
"""

import json
import random
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from copy import copy
from functools import cache
from typing import Any

import jsonschema
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from bedplate.problems import InvalidInput
from live.activity_type import (
    MAX_COUNTERS,
    MAX_KEY_LENGTH,
    MAX_LABEL_LENGTH,
    ActivityType,
    Item,
    Tally,
    all_types,
)
from live.text import fold, key_of

JSON = dict[str, Any]
Kind = ActivityType[Any, Any]

NAMES = sorted(all_types())
SCORED = [name for name, kind in all_types().items() if kind.scored]
MAX_RESULT_BYTES = 1_000_000

characters = st.characters(exclude_categories=["Cs"], exclude_characters="\0")
any_text = st.text(characters, min_size=1, max_size=12) | st.text("aA äß한\u200f\ufe0f", min_size=1)
visible = any_text.filter(fold)
line = st.text(st.characters(categories=["L", "N", "P", "S"]), min_size=1, max_size=12).filter(fold)
ids = st.text("abcXYZ019_-", min_size=1, max_size=20)


def lines(minimum: int, maximum: int) -> st.SearchStrategy[list[str]]:
    """Texts that differ."""
    return st.lists(line, min_size=minimum, max_size=maximum, unique_by=fold)


@st.composite
def options(draw: st.DrawFn, minimum: int = 2, maximum: int = 6, text: str = "text") -> list[JSON]:
    """Options, some of them with an id."""
    texts = draw(lines(minimum, maximum))
    given_ids = draw(st.lists(ids, min_size=len(texts), max_size=len(texts), unique=True))
    return [
        {text: value, "id": option} if draw(st.booleans()) else {text: value}
        for value, option in zip(texts, given_ids, strict=True)
    ]


@st.composite
def choices(draw: st.DrawFn) -> JSON:
    """Options, and how many of them are chosen."""
    chosen = draw(options())
    maximum = draw(st.integers(1, len(chosen)))
    return {
        "options": chosen,
        "max_choices": maximum,
        "min_choices": draw(st.integers(1, maximum)),
    }


scoring = st.fixed_dictionaries(
    {},
    optional={
        "points": st.integers(0, 2000),
        "speed": st.booleans(),
        "credit": st.sampled_from(["strict", "partial"]),
        "explanation": st.none() | st.just("EXPLANATION"),
    },
)
lengths = st.fixed_dictionaries({}, optional={"max_listed": st.integers(1, 5)})


@st.composite
def scales(draw: st.DrawFn) -> JSON:
    """The two ends of a scale."""
    minimum = draw(st.integers(-100, 99))
    return {"minimum": minimum, "maximum": draw(st.integers(minimum + 1, min(100, minimum + 12)))}


@st.composite
def quizzes(draw: st.DrawFn) -> JSON:
    """A question, at least one of whose options is correct."""
    config: JSON = {**draw(scoring), "options": draw(options()), "multiple": draw(st.booleans())}
    for option in config["options"]:
        option["correct"] = draw(st.booleans())
    draw(st.sampled_from(config["options"]))["correct"] = True
    return config


@st.composite
def estimates(draw: st.DrawFn) -> JSON:
    """A range and a number in it."""
    decimals = draw(st.integers(0, 3))
    low, correct, high = sorted(
        draw(st.lists(st.integers(-(10**9), 10**9), min_size=3, max_size=3, unique=True))
    )
    unit = 10.0**decimals
    return {
        **draw(scoring),
        "minimum": low / unit,
        "correct": correct / unit,
        "maximum": high / unit,
        "tolerance": draw(st.integers(0, 100)) / unit,
        "decimals": decimals,
        "buckets": draw(st.integers(1, 50)),
    }


@st.composite
def matchings(draw: st.DrawFn) -> JSON:
    """Pairs, and right sides without a left one."""
    pairs = draw(options(text="left", maximum=5))
    rights = draw(lines(len(pairs), len(pairs) + 3))
    for pair, right in zip(pairs, rights, strict=False):
        pair["right"] = right
    return {**draw(scoring), "pairs": pairs, "extra": rights[len(pairs) :]}


@st.composite
def surveys(draw: st.DrawFn) -> JSON:
    """Questions of all kinds."""
    questions: list[JSON] = draw(options(1, 6, text="title"))
    for question in questions:
        kind = draw(st.sampled_from(["choice", "scale", "text"]))
        question.update(kind=kind, required=draw(st.booleans()))
        if kind == "choice":
            question.update(draw(choices()))
        elif kind == "scale":
            question.update(draw(scales()))
    return {**draw(lengths), "questions": questions}


def _merged(*parts: st.SearchStrategy[JSON]) -> st.SearchStrategy[JSON]:
    return st.tuples(*parts).map(lambda dicts: {k: v for part in dicts for k, v in part.items()})


CONFIGS: dict[str, st.SearchStrategy[JSON]] = {
    "estimate": estimates(),
    "matching": matchings(),
    "open_text": _merged(lengths, st.fixed_dictionaries({"max_texts": st.integers(1, 10)})),
    "planning_poker": st.fixed_dictionaries(
        {"scale": st.sampled_from(["fibonacci", "t-shirt", "linear"])}
    ),
    "poll": choices(),
    "questions": _merged(
        lengths,
        st.fixed_dictionaries(
            {}, optional={"max_questions": st.integers(0, 3), "max_votes": st.integers(0, 5)}
        ),
    ),
    "quiz": quizzes(),
    "ranking": st.fixed_dictionaries(
        {"options": options()}, optional={"top": st.none() | st.integers(1, 2)}
    ),
    "scale": _merged(
        scales(),
        st.fixed_dictionaries({"statements": options(1, 5), "skippable": st.booleans()}),
    ),
    "survey": surveys(),
    "word_cloud": _merged(lengths, st.fixed_dictionaries({"max_words": st.integers(1, 10)})),
}


def some(values: Sequence[str], minimum: int, maximum: int) -> st.SearchStrategy[list[str]]:
    """Some of the values, in any order."""
    return st.permutations(values).flatmap(
        lambda order: st.integers(minimum, min(maximum, len(order))).map(lambda n: order[:n])
    )


def _texts(maximum: int) -> st.SearchStrategy[list[str]]:
    words = st.lists(visible, min_size=1, max_size=maximum)
    return words | st.lists(
        st.sampled_from(["Grün", " grün ", "naïve", "日本語"]), min_size=1, max_size=maximum
    )


@st.composite
def survey_answers(draw: st.DrawFn, config: Any) -> JSON:
    """Answers to the required questions and to some others."""
    answer: JSON = {"choices": {}, "ratings": {}, "texts": {}}
    for question in draw(st.permutations(config.questions)):
        if not question.required and draw(st.booleans()):
            continue
        match question.kind:
            case "choice":
                answer["choices"][question.id] = draw(
                    some(
                        [o.id for o in question.options], question.min_choices, question.max_choices
                    )
                )
            case "scale":
                answer["ratings"][question.id] = draw(st.sampled_from(question.values))
            case _:
                answer["texts"][question.id] = draw(visible)
    return answer


@st.composite
def question_answers(draw: st.DrawFn, config: Any) -> JSON:
    """Questions and votes for others."""
    votes = st.lists(any_text.map(key_of), max_size=config.max_votes)
    return {
        "questions": draw(st.lists(visible, max_size=config.max_questions)),
        "votes": draw(votes),
    }


@st.composite
def matches(draw: st.DrawFn, config: Any) -> JSON:
    """Some left sides with some right ones."""
    left = draw(some([pair.id for pair in config.pairs], 1, 20))
    right = draw(st.permutations(list(config.right_sides)))
    return {"matches": dict(zip(left, right, strict=False))}


@st.composite
def ratings(draw: st.DrawFn, config: Any) -> JSON:
    """A rating for each statement that has to have one."""
    every = [statement.id for statement in config.statements]
    rated = draw(some(every, 1 if config.skippable else len(every), len(every)))
    return {"ratings": {key: draw(st.sampled_from(config.values)) for key in rated}}


ANSWERS: dict[str, Callable[[Any], st.SearchStrategy[JSON]]] = {
    "estimate": lambda config: st.fixed_dictionaries(
        {"value": st.floats(config.minimum, config.maximum) | st.just(config.correct)}
    ),
    "matching": matches,
    "open_text": lambda config: st.fixed_dictionaries({"texts": _texts(config.max_texts)}),
    "planning_poker": lambda config: st.fixed_dictionaries({"card": st.sampled_from(config.cards)}),
    "poll": lambda config: st.fixed_dictionaries(
        {"choices": some([o.id for o in config.options], config.min_choices, config.max_choices)}
    ),
    "questions": question_answers,
    "quiz": lambda config: st.fixed_dictionaries(
        {"choices": some([o.id for o in config.options], 1, 20 if config.multiple else 1)}
    ),
    "ranking": lambda config: st.fixed_dictionaries(
        {"order": some([o.id for o in config.options], config.places, config.places)}
    ),
    "scale": ratings,
    "survey": survey_answers,
    "word_cloud": lambda config: st.fixed_dictionaries({"words": _texts(config.max_words)}),
}

every_type = pytest.mark.parametrize("name", NAMES)
every_scored_type = pytest.mark.parametrize("name", SCORED)
data_of_test = st.data()


def draw_config(data: st.DataObject, name: str) -> tuple[Kind, Any]:
    """A type and a configuration."""
    kind = all_types()[name]
    return kind, kind.parse_config(data.draw(CONFIGS[name], "config"))


def draw_answers(data: st.DataObject, kind: Kind, config: Any, maximum: int = 5) -> list[Any]:
    """Checked answers of several participants."""
    sent = data.draw(st.lists(ANSWERS[kind.name](config), min_size=1, max_size=maximum), "answers")
    return [kind.parse_answer(config, answer) for answer in sent]


def tally_of(kind: Kind, config: Any, answers: Iterable[Any]) -> Tally:
    """What is counted of answers."""
    answers = list(answers)
    counts, labels = Counter[str](), dict[str, str]()
    for answer in answers:
        for count in kind.tally(config, answer):
            counts[count.key] += count.amount
            if count.label:
                labels.setdefault(count.key, count.label)
    items = [Item(key, label, counts[key]) for key, label in sorted(labels.items())]
    return Tally(len(answers), counts, items)


def test_every_type_is_tested() -> None:
    """A type without random configurations and answers isn't tested by what follows."""
    assert set(CONFIGS) == set(ANSWERS) == set(NAMES)


@every_type
def test_the_example_is_valid(name: str) -> None:
    """What a type shows as an example is accepted, and fits its JSON Schemas."""
    kind = all_types()[name]
    config = kind.parse_config(kind.example.config)
    answer = kind.parse_answer(config, kind.example.answer)
    jsonschema.validate(kind.example.config, kind.config.model_json_schema())
    jsonschema.validate(kind.example.answer, kind.answer.model_json_schema())
    assert kind.result(config, tally_of(kind, config, [answer]), revealed=True)["answers"] == 1


@every_type
def test_every_field_is_described(name: str) -> None:
    """The JSON Schemas say what each field means, or refer to a model that does."""
    kind = all_types()[name]
    for model in (kind.config, kind.answer):
        schema = model.model_json_schema()
        for part in (schema, *schema.get("$defs", {}).values()):
            assert part["description"]
            for field, described in part.get("properties", {}).items():
                assert {"description", "$ref", "const"} & described.keys() or field == "pairs", (
                    field
                )


@every_type
@given(data=data_of_test)
def test_a_configuration_survives_storage(name: str, data: st.DataObject) -> None:
    """A configuration that is written and read again is the same."""
    kind, config = draw_config(data, name)
    stored = json.loads(json.dumps(config.model_dump(mode="json"), allow_nan=False))
    assert kind.parse_config(stored) == config
    assert kind.parse_config(stored).model_dump() == config.model_dump()


@every_type
@given(data=data_of_test)
def test_an_answer_survives_storage(name: str, data: st.DataObject) -> None:
    """A checked answer stays when it is checked again, or written and read, in any order of keys.

    JSONB keeps no order of keys.
    """
    kind, config = draw_config(data, name)
    for answer in draw_answers(data, kind, config):
        assert kind.check(config, answer) == answer
        stored = json.loads(json.dumps(answer.model_dump(mode="json"), sort_keys=True))
        again = kind.parse_answer(config, stored)
        assert again == answer
        assert again.model_dump_json() == answer.model_dump_json()


def turned_round(value: Any) -> Any:
    """The value with its lists and objects in the opposite order."""
    if isinstance(value, dict):
        return {key: turned_round(part) for key, part in reversed(value.items())}
    return [turned_round(part) for part in reversed(value)] if isinstance(value, list) else value


@pytest.mark.parametrize("name", [name for name in NAMES if name != "ranking"])
@given(data=data_of_test)
def test_the_order_of_an_answer_means_nothing(name: str, data: st.DataObject) -> None:
    """But for a ranking: what is sent in another order is stored and counted the same.

    Of equal words the first one is stored, so these are compared as they are counted.
    """
    kind, config = draw_config(data, name)
    sent = data.draw(ANSWERS[name](config))
    first, second = (kind.parse_answer(config, each) for each in (sent, turned_round(sent)))
    counted = [
        [(count.key, count.amount) for count in kind.tally(config, each)]
        for each in (first, second)
    ]
    assert counted[0] == counted[1]
    assert kind.words or first.model_dump_json() == second.model_dump_json()


@every_type
@given(data=data_of_test)
def test_checking_changes_nothing_that_was_sent(name: str, data: st.DataObject) -> None:
    """The answer that is checked and the JSON that was sent stay as they are."""
    kind, config = draw_config(data, name)
    sent = data.draw(ANSWERS[name](config))
    before = json.dumps(sent)
    model = kind.answer.model_validate(sent)
    dumped = model.model_dump_json()
    kind.check(config, model)
    assert (json.dumps(sent), model.model_dump_json()) == (before, dumped)


@every_type
@given(data=data_of_test)
def test_counts_are_keys_of_a_column(name: str, data: st.DataObject) -> None:
    """Counts are the same each time, each key is short, ASCII and unique, each amount positive."""
    kind, config = draw_config(data, name)
    for answer in draw_answers(data, kind, config):
        counts = list(kind.tally(config, answer))
        assert counts == list(kind.tally(config, answer))
        keys = [count.key for count in counts]
        assert len(set(keys)) == len(keys)
        for count in counts:
            assert count.key.isascii()
            assert 1 <= len(count.key) <= MAX_KEY_LENGTH
            assert count.amount > 0
            assert len(count.label) <= MAX_LABEL_LENGTH
            assert kind.words or not count.label
        assert kind.words == bool(kind.texts(answer)) or not kind.texts(answer)
        assert set(kind.needs(answer)) <= set(keys)


@every_type
@given(data=data_of_test)
def test_counters_are_bounded(name: str, data: st.DataObject) -> None:
    """Answers share their counters, with the exception of words."""
    kind, config = draw_config(data, name)
    answers = draw_answers(data, kind, config, maximum=20)
    keys = {c.key for answer in answers for c in kind.tally(config, answer) if not c.label}
    assert len(keys) <= MAX_COUNTERS + 100 * (name == "questions")


@every_type
@given(data=data_of_test)
def test_what_is_counted_can_be_taken_away(name: str, data: st.DataObject) -> None:
    """Answers that come, change and go in any order leave what a recount says, in the end zero."""
    kind, config = draw_config(data, name)
    answers = draw_answers(data, kind, config)
    counts, present = Counter[str](), dict[int, Any]()

    def put(who: int, answer: Any) -> None:
        if (old := present.pop(who, None)) is not None:
            for count in kind.tally(config, old):
                counts[count.key] -= count.amount
        if answer is not None:
            present[who] = answer
            for count in kind.tally(config, answer):
                counts[count.key] += count.amount

    steps = st.tuples(st.integers(0, 3), st.none() | st.sampled_from(answers))
    for who, answer in data.draw(st.lists(steps, max_size=12)):
        put(who, answer)
        assert +counts == +Counter(tally_of(kind, config, present.values()).counts)
        assert min(counts.values(), default=0) >= 0
    for who in list(present):
        put(who, None)
    assert not any(counts.values())


@every_type
@given(data=data_of_test)
def test_a_result_comes_from_every_tally(name: str, data: st.DataObject) -> None:
    """Of none, some or all counters there is a result: small JSON, without NaN."""
    kind, config = draw_config(data, name)
    tally = tally_of(kind, config, draw_answers(data, kind, config))
    partial = Tally(
        data.draw(st.integers(0, 10_000)),
        {k: data.draw(st.integers(0, 10_000)) for k in tally.counts if data.draw(st.booleans())},
        [item for item in tally.items if data.draw(st.booleans())],
    )
    for each in (Tally(0, {}), partial, tally):
        for revealed in (False, True):
            result = kind.result(config, each, revealed=revealed)
            assert result["answers"] == each.stored
            assert len(json.dumps(result, allow_nan=False)) < MAX_RESULT_BYTES
            assert result == kind.result(config, each, revealed=revealed)


@pytest.mark.parametrize("name", [name for name in NAMES if all_types()[name].words])
def test_a_result_of_many_words_is_small(name: str) -> None:
    """Ten thousand different texts of the greatest length don't make a result that is too large."""
    kind = all_types()[name]
    config = kind.parse_config({**kind.example.config, "max_listed": 500})
    prefix = "c." if name == "survey" else ""
    texts = [f"{number:05}{'x' * 495}" for number in range(10_000)]
    items = [Item(f"{prefix}{key_of(text)}", text, 1) for text in texts]
    tally = Tally(10_000, {item.key: item.count for item in items}, items)
    result = json.dumps(kind.result(config, tally, revealed=True))
    assert result.count("xxx") >= 500
    assert len(result) < MAX_RESULT_BYTES


def another_solution(name: str, config: Any, chance: random.Random) -> JSON:
    """The configuration with another correct answer and another explanation."""
    changed: JSON = config.model_dump(mode="json")
    changed["explanation"] = "ANOTHER"
    match name:
        case "quiz":
            for option in changed["options"]:
                option["correct"] = chance.random() < 0.5
            chance.choice(changed["options"])["correct"] = True
        case "estimate":
            changed["correct"] = chance.choice([changed["minimum"], changed["maximum"]])
            changed["tolerance"] = 0.0
        case "matching":
            rights = [pair["right"] for pair in changed["pairs"]] + changed["extra"]
            chance.shuffle(rights)
            for pair in changed["pairs"]:
                pair["right"] = rights.pop()
            changed["extra"] = rights
        case _:
            pytest.fail(f"How is the correct answer of {name} changed?")
    return changed


@every_scored_type
@given(data=data_of_test, seed=st.integers(0, 1_000_000))
def test_nothing_gives_the_correct_answer_away(name: str, data: st.DataObject, seed: int) -> None:
    """Another correct answer changes not a byte of what is seen before it is revealed."""
    kind, config = draw_config(data, name)
    other = kind.parse_config(another_solution(name, config, random.Random(seed)))
    answers = draw_answers(data, kind, config)
    assert json.dumps(kind.public(config)) == json.dumps(kind.public(other))
    hidden = [
        json.dumps(kind.result(each, tally_of(kind, each, answers), revealed=False))
        for each in (config, other)
    ]
    assert hidden[0] == hidden[1]
    assert "EXPLANATION" not in hidden[0] + json.dumps(kind.public(config))
    if config.explanation:
        assert "EXPLANATION" in json.dumps(kind.result(config, Tally(0, {}), revealed=True))


@every_scored_type
@given(data=data_of_test)
def test_the_order_of_a_configuration_gives_nothing_away(name: str, data: st.DataObject) -> None:
    """What says which answer is correct is in no public name either."""
    kind, config = draw_config(data, name)
    public = json.dumps(kind.public(config))
    assert '"correct"' not in public
    assert '"tolerance"' not in public
    assert '"pairs"' not in public


@pytest.mark.parametrize("name", sorted(set(NAMES) - set(SCORED)))
def test_types_without_points(name: str) -> None:
    """A type that isn't scored gives no points."""
    kind = all_types()[name]
    config = kind.parse_config(kind.example.config)
    answer = kind.parse_answer(config, kind.example.answer)
    assert kind.score(config, answer, seconds=1.0, limit=2.0) is None


@every_scored_type
@given(
    data=data_of_test,
    seconds=st.none() | st.floats(-10, 10_000),
    limit=st.none() | st.floats(0, 3600),
)
def test_points_are_within_bounds(
    name: str, data: st.DataObject, seconds: float | None, limit: float | None
) -> None:
    """An answer is worth 0 to the points of its question, whatever the clocks say."""
    kind, config = draw_config(data, name)
    for answer in draw_answers(data, kind, config):
        score = kind.score(config, answer, seconds=seconds, limit=limit)
        assert score is not None
        assert 0 <= score.points <= config.points
        if score.correct:
            assert score.points >= config.points // 2
        if config.credit == "strict" and not score.correct:
            assert score.points == 0


@every_scored_type
@given(data=data_of_test, times=st.tuples(st.floats(0, 120), st.floats(0, 120)))
def test_the_quicker_answer_is_worth_as_much(
    name: str, data: st.DataObject, times: tuple[float, float]
) -> None:
    """Of two equal answers the quicker one never gets fewer points."""
    kind, config = draw_config(data, name)
    (answer,) = draw_answers(data, kind, config, maximum=1)
    quick, slow = (kind.score(config, answer, seconds=each, limit=60) for each in sorted(times))
    assert quick is not None
    assert slow is not None
    assert quick.points >= slow.points
    assert quick.correct == slow.correct


HOSTILE: list[Any] = [
    None, True, False, 0, -1, 1.0, 1.5, -0.0, 1e308, -1e308, float("nan"), float("inf"),
    10**400, -(10**400), 2**63, 2**64, "", " ", "\0", "a\0b", "\ud800", "a\udfff",
    "\u202e\u202d", "\u200f", "x" * 3_000, "1", "1e5", "true", "a", "?", "NaN", [], {}, [[]],
    ["a"] * 1_000, [["a"]], {"a": {}}, {"": 1}, {"\0": 1}, {"\ud800": "a"}, {"a": "\0"},
    {"a": True}, {"id": "a"}, {"text": "a"}, {"kind": "choice"}, {"kind": ["choice"]},
    {"kind": "\ud800"}, {"a" * 3_000: 1}, {"a": ["\ud800"]},
]  # fmt: skip
leaves = st.sampled_from(HOSTILE) | st.text(max_size=5) | st.floats() | st.integers()
junk = leaves | st.lists(leaves, max_size=3) | st.dictionaries(st.text(max_size=5), leaves)


def mutated(draw: Callable[[st.SearchStrategy[Any]], Any], value: Any) -> Any:
    """The value with one part of it replaced, left out, repeated or added."""
    if isinstance(value, dict) and value and draw(st.booleans()):
        key = draw(st.sampled_from(sorted(value)))
        return {**value, key: mutated(draw, value[key])}
    if isinstance(value, list) and value and draw(st.booleans()):
        index = draw(st.integers(0, len(value) - 1))
        return [*value[:index], mutated(draw, value[index]), *value[index + 1 :]]
    if isinstance(value, dict) and value and draw(st.booleans()):
        left_out = draw(st.sampled_from([*sorted(value), None]))
        rest = {key: part for key, part in value.items() if key != left_out}
        return {**rest, draw(st.text(max_size=3) | st.just("\ud800")): draw(junk)}
    if isinstance(value, list) and value and draw(st.booleans()):
        return value + value[: draw(st.integers(1, 2))]
    return draw(junk)


def with_hostile_parts(value: Any) -> Iterator[Any]:
    """The value with each part of it replaced by each hostile one."""
    yield from HOSTILE
    parts: Iterable[tuple[Any, Any]] = ()
    if isinstance(value, Mapping):
        parts = value.items()
        yield from ({**value, key: True} for key in ("\ud800", "\0", "", "unknown"))
    elif isinstance(value, list):
        parts = enumerate(value)
        yield value * 1_000
    for key, part in parts:
        for hostile in with_hostile_parts(part):
            changed = copy(value)
            changed[key] = hostile
            yield changed


def refuse_or_use_config(kind: Kind, sent: Any) -> None:
    """Check that a configuration is `InvalidInput`, or valid and then usable."""
    try:
        config = kind.parse_config(sent)
    except InvalidInput as refused:
        json.dumps(refused.members).encode("ascii")
        return
    stored = json.dumps(config.model_dump(mode="json"), allow_nan=False, ensure_ascii=False)
    assert "\\u0000" not in stored
    stored.encode()
    assert kind.parse_config(json.loads(stored)) == config
    json.dumps(kind.public(config), allow_nan=False)
    json.dumps(kind.result(config, Tally(0, {}), revealed=True), allow_nan=False)


def refuse_or_use_answer(kind: Kind, config: Any, sent: Any) -> None:
    """Check that an answer is `InvalidInput`, or valid and then counted."""
    try:
        answer = kind.parse_answer(config, sent)
    except InvalidInput as refused:
        json.dumps(refused.members).encode("ascii")
        return
    stored = json.dumps(answer.model_dump(mode="json"), allow_nan=False, ensure_ascii=False)
    assert "\\u0000" not in stored
    stored.encode()
    assert kind.parse_answer(config, json.loads(stored)) == answer
    tally = tally_of(kind, config, [answer])
    json.dumps(kind.result(config, tally, revealed=True), allow_nan=False)


@every_type
def test_each_part_of_a_configuration_may_be_hostile(name: str) -> None:
    """Each part of the example is replaced by each hostile value: refused, or usable."""
    kind = all_types()[name]
    full = kind.parse_config(kind.example.config).model_dump(mode="json")
    for sent in (*with_hostile_parts(kind.example.config), *with_hostile_parts(full)):
        refuse_or_use_config(kind, sent)


@every_type
def test_each_part_of_an_answer_may_be_hostile(name: str) -> None:
    """Each part of the example is replaced by each hostile value: refused, or counted."""
    kind = all_types()[name]
    config = kind.parse_config(kind.example.config)
    for sent in with_hostile_parts(kind.example.answer):
        refuse_or_use_answer(kind, config, sent)


@every_type
@given(data=data_of_test)
def test_a_hostile_configuration_is_refused(name: str, data: st.DataObject) -> None:
    """Junk, and configurations with junk in them, are `InvalidInput`, or valid and then usable."""
    refuse_or_use_config(all_types()[name], mutated(data.draw, data.draw(CONFIGS[name] | junk)))


@every_type
@given(data=data_of_test)
def test_a_hostile_answer_is_refused(name: str, data: st.DataObject) -> None:
    """Junk, and answers with junk in them, are `InvalidInput`, or valid and then counted."""
    kind, config = draw_config(data, name)
    sent = mutated(data.draw, data.draw(ANSWERS[name](config) | junk))
    refuse_or_use_answer(kind, config, sent)


@every_type
@given(data=data_of_test)
def test_an_answer_to_another_configuration_is_refused_or_counted(
    name: str, data: st.DataObject
) -> None:
    """An answer for other options is `InvalidInput`, or an answer that fits by chance."""
    kind, config = draw_config(data, name)
    _, other = draw_config(data, name)
    sent = data.draw(ANSWERS[name](other))
    assume(config != other)
    try:
        answer = kind.parse_answer(config, sent)
    except InvalidInput:
        return
    assert kind.check(config, answer) == answer
    kind.result(config, tally_of(kind, config, [answer]), revealed=True)


@cache
def validators(name: str) -> tuple[jsonschema.Draft202012Validator, ...]:
    """What validates by the JSON Schemas of a type's configurations and answers."""
    kind = all_types()[name]
    return tuple(
        jsonschema.Draft202012Validator(model.model_json_schema())
        for model in (kind.config, kind.answer)
    )


@every_type
@given(data=data_of_test)
def test_the_schema_accepts_what_is_accepted(name: str, data: st.DataObject) -> None:
    """Whoever follows the JSON Schemas isn't misled: accepted input fits them."""
    kind, config = draw_config(data, name)
    (answer,) = draw_answers(data, kind, config, maximum=1)
    for validator, value in zip(validators(name), (config, answer), strict=True):
        validator.validate(value.model_dump(mode="json"))
