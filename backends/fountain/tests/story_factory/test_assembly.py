"""The rules by which a story is joined, without any service."""

import pytest
from pydantic import MISSING

from fountain.story_factory import assembly
from fountain.story_factory.assembly import Objects, context_of, distinct
from fountain.story_factory.orchestration import Line, Play
from fountain.story_factory.schemas import Action, Character, Orchestration, SpokenWord
from fountain.story_factory.upstream import Element, Script, Section, Session, Structure

JULIET = Character(character_id=5, name="Juliet")
OBJECTS = Objects(
    characters={5: JULIET},
    actions={6: Action(action_id=6, description="She sighs.")},
    spoken_words={7: SpokenWord(dialogue_id=7, text="Ay me!")},
    sessions={8: Session(sessionId=8, context="night")},
)


def element(position: int, **named: int) -> Element:
    """Return an element as the script service answers it."""
    return Element.model_validate({"position": position, **named})


def test_each_identifier_is_asked_for_once() -> None:
    """Identifiers keep the order of their first appearance; what is missing isn't one."""
    assert distinct([3, None, 1, 3, 2, 1, None]) == [3, 1, 2]


def test_the_order_is_that_of_positions() -> None:
    """Elements and headings come in order however they were answered."""
    structure = Structure(
        script=Script(scriptId=1),
        sections=[
            Section(headingId=1, title="B", sequenceNumber=9),
            Section(headingId=2, title="A", sequenceNumber=4),
        ],
        elements=[element(3), element(1), element(2)],
    )
    story = assembly.full_story(structure, Objects(), Orchestration())
    assert story.model_dump(mode="json", by_alias=True) == {
        "scriptId": 1,
        "sections": [
            {"headingId": 2, "scriptId": 1, "title": "A", "sequence": 4},
            {"headingId": 1, "scriptId": 1, "title": "B", "sequence": 9},
        ],
        "story": [{"sequence": 1}, {"sequence": 2}, {"sequence": 3}],
        "orchestration": {},
    }


def test_one_thing_in_two_places() -> None:
    """The same spoken word in two elements has the place of each."""
    elements = [element(1, spokenWordId=7), element(2, spokenWordId=7)]
    result = assembly.story_elements(elements, OBJECTS)
    words = [item.spoken_word for item in result]
    assert [item.sequence for item in words if item is not MISSING] == [1, 2]


@pytest.mark.parametrize(
    ("text", "data"),
    [
        ('{"mood": "longing", "place": "garden"}', {"mood": "longing", "place": "garden"}),
        ("{}", {}),
        ("by night", {"context": "by night"}),
        ("", {"context": ""}),
        ('{"mood": 3}', {"context": '{"mood": 3}'}),
        ('{"mood": null}', {"context": '{"mood": null}'}),
        ('["mood"]', {"context": '["mood"]'}),
        ('"mood"', {"context": '"mood"'}),
        ('{"mood": "\\ud800"}', {"context": '{"mood": "\\ud800"}'}),
        ("[" * 5000, {"context": "[" * 5000}),
        ("9" * 5000, {"context": "9" * 5000}),
    ],
)
def test_the_data_of_a_context(text: str, data: dict[str, str]) -> None:
    """A JSON object of strings is taken apart; any other text stays whole."""
    context = context_of(Session(sessionId=8, context=text), JULIET)
    assert (context.context_id, context.character_id) == (8, 5)
    assert context.data == data


def test_a_context_without_text_or_owner() -> None:
    """What a session or an element doesn't have, its context doesn't show."""
    context = context_of(Session(sessionId=8), MISSING)
    assert context.model_dump(by_alias=True) == {"contextId": 8}


def test_a_play_to_make_music_from() -> None:
    """Lines carry texts only: of a heading that the script has, and of things that there are."""
    structure = Structure(
        script=Script(scriptId=1, title="Romeo and Juliet"),
        sections=[Section(headingId=2, title="Act 2", sequenceNumber=3)],
        elements=[
            element(2, headingId=99, characterId=99, actionId=99, spokenWordId=99),
            element(1, headingId=2, characterId=5, actionId=6, spokenWordId=7, contextId=8),
        ],
    )
    line = Line(section=2, heading="Act 2", speaker="Juliet", action="She sighs.", words="Ay me!")
    expected = Play(title="Romeo and Juliet", author="", lines=[line, Line()])
    assert assembly.play(structure, OBJECTS) == expected
