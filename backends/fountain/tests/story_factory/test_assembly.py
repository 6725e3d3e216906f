"""The rules by which a story is joined, without any service."""

import orjson
import pytest

from fountain.story_factory import assembly
from fountain.story_factory.assembly import Objects, context_of, distinct
from fountain.story_factory.orchestration import Line, Play
from fountain.story_factory.schemas import Orchestration
from fountain.story_factory.upstream import Element, Script, Section, Session, Structure

JULIET = {"characterId": 5, "name": "Juliet"}
OBJECTS = Objects(
    characters={5: JULIET},
    actions={6: {"actionId": 6, "description": "She sighs."}},
    spoken_words={7: {"dialogueId": 7, "text": "Ay me!"}},
    sessions={8: Session(sessionId=8, context="night")},
)


def element(position: int, **named: int) -> Element:
    """Return an element as the script service answers it."""
    return Element.model_validate({"position": position, **named})


def test_each_identifier_is_asked_for_once() -> None:
    """Identifiers keep the order of their first appearance; what is missing isn't one."""
    assert distinct([3, None, 1, 3, 2, 1, None]) == [3, 1, 2]


async def test_the_order_is_that_of_positions() -> None:
    """Elements and headings come in order however they were answered."""
    structure = Structure(
        script=Script(scriptId=1),
        sections=[
            Section(headingId=1, title="B", sequenceNumber=9),
            Section(headingId=2, title="A", sequenceNumber=4),
        ],
        elements=[element(3), element(1), element(2)],
    )
    story = await assembly.full_story(structure, Objects(), Orchestration())
    assert orjson.loads(story) == {
        "scriptId": 1,
        "sections": [
            {"headingId": 2, "scriptId": 1, "title": "A", "sequence": 4},
            {"headingId": 1, "scriptId": 1, "title": "B", "sequence": 9},
        ],
        "story": [{"sequence": 1}, {"sequence": 2}, {"sequence": 3}],
        "orchestration": {},
    }


async def test_one_thing_in_two_places() -> None:
    """The same spoken word in two elements has the place of each."""
    elements = [element(1, spokenWordId=7), element(2, spokenWordId=7)]
    part = orjson.loads(await assembly.story_sequence(1, elements, OBJECTS))
    assert [item["spokenWord"]["sequence"] for item in part["sequences"]] == [1, 2]


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
    assert context == {"contextId": 8, "characterId": 5, "data": data}


def test_a_context_without_text_or_owner() -> None:
    """What a session or an element doesn't have, its context doesn't show."""
    assert context_of(Session(sessionId=8), None) == {"contextId": 8}


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
