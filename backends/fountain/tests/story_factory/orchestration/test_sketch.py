"""The sketch: whole bars, notes within instruments, the same for the same play."""

import hashlib
import pickle
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fountain.story_factory.orchestration import (
    Line,
    Play,
    csound_file,
    lilypond_file,
    midi_file,
)
from fountain.story_factory.orchestration.sketch import (
    MAX_NOTES,
    MAX_PASSAGES,
    Passage,
    Sketch,
    sketch,
)
from fountain.story_factory.orchestration.voices import NARRATOR, voice_of

WORDS = st.text() | st.lists(st.sampled_from(["Ay", "me!", "Romeo,", "O", "?", "…"])).map(" ".join)
LINES = st.builds(
    Line, st.none() | st.integers(1, 3), st.text(), st.text(), st.text(max_size=9), WORDS
)
PLAYS = st.builds(Play, st.text(), st.text(), st.lists(LINES, max_size=8))


def check(passage: Passage) -> None:
    """Fail unless a passage fills whole bars and none of its notes crosses one."""
    bar, start = passage.movement.bar, 0
    assert passage.length > 0
    assert passage.length % bar == 0
    assert len(passage.notes) <= MAX_NOTES
    for note in passage.notes:
        assert note.length in {1, 2}
        assert start // bar == (start + note.length - 1) // bar
        assert passage.voice.lowest <= note.step <= passage.voice.lowest + 10
        assert 21 <= passage.movement.key.pitch(note.step) <= 108
        start += note.length
    assert passage.length - bar < start or passage.length == bar
    assert all(0 <= stroke < bar for stroke in passage.strokes)
    assert not passage.notes or not passage.notes[-1].joined


@given(PLAYS)
def test_a_sketch_is_well_formed(play: Play) -> None:
    """Every play has a passage for each line, one at least; movements begin where sections do."""
    music = sketch(play)
    assert len(music.passages) == max(1, len(play.lines))
    assert music.passages[0].opens
    for before, passage in zip([None, *music.passages], music.passages, strict=False):
        check(passage)
        if before is not None and not passage.opens:
            assert passage.movement == before.movement
    assert sketch(play) == music


def test_what_is_said(verona: Play) -> None:
    """Each syllable is a note of its speaker's voice; a question ends on the fifth, else home."""
    music = sketch(verona)
    first, _, question, silence, *_ = music.passages
    assert first.voice == question.voice == voice_of("Juliet")
    assert silence.voice == NARRATOR
    assert [note.syllable for note in first.notes] == ["Ay", "me!"]
    tonic = first.movement.key.tonic
    assert first.notes[-1].step % 7 == tonic
    assert (question.notes[-1].step - 4) % 7 == question.movement.key.tonic
    assert first.loud
    assert silence.notes == ()


def test_no_mark_is_played(marked_play: Play) -> None:
    """Marks of emphasis and notes to the writer are in no text of a sketch, sung or printed."""
    music = sketch(marked_play)
    (passage,) = music.passages
    assert (music.title, music.author) == ("BRICK & STEEL", "A writer")
    assert passage.movement.heading == "Act 1"
    assert (passage.speaker, passage.caption) == ("Juliet", "She comes.")
    assert [note.syllable for note in passage.notes] == ["Ay", "me!"]


def test_what_happens(verona: Play) -> None:
    """An action strikes its drum at once; where nothing happens the drums are silent."""
    strokes = [passage.strokes for passage in sketch(verona).passages]
    assert [bool(some) for some in strokes] == [True, False, False, True, False, False]
    assert strokes[0][0] == strokes[3][0] == 0


def test_sections(verona: Play) -> None:
    """A movement begins with each section, also with one that comes again, sounding as it did."""
    passages = sketch(verona).passages
    assert [item.opens for item in passages] == [True, False, True, False, False, True]
    assert passages[5].movement == passages[0].movement != passages[2].movement
    assert [passages[n].movement.heading for n in (0, 2)] == ["Act 1", "Act 2"]


def test_long_plays_end() -> None:
    """Beyond its bound a play is silent, and so are the words of a line."""
    long = Play("", "", [Line(words="la " * 1000)] * (MAX_PASSAGES + 5))
    music = sketch(long)
    assert len(music.passages) == MAX_PASSAGES
    assert len(music.passages[0].notes) == MAX_NOTES


@pytest.mark.parametrize("seed", ["1", "2"])
def test_every_process_makes_the_same(verona: Play, seed: str) -> None:
    """The files don't depend on Python's hashes, which differ from process to process."""
    code = (
        "import hashlib, pickle, sys; from fountain.story_factory.orchestration import *;"
        "play = pickle.load(sys.stdin.buffer);"
        "made = csound_file(play) + lilypond_file(play) + midi_file(play);"
        "print(hashlib.sha256(made).hexdigest())"
    )
    made = subprocess.run(
        [sys.executable, "-c", code],
        input=pickle.dumps(verona),
        env={"PYTHONHASHSEED": seed},
        capture_output=True,
        check=True,
    )
    here = csound_file(verona) + lilypond_file(verona) + midi_file(verona)
    assert made.stdout.decode().strip() == hashlib.sha256(here).hexdigest()


def test_nothing_to_play() -> None:
    """A play without lines is a bar of silence."""
    music: Sketch = sketch(Play("", "", []))
    (passage,) = music.passages
    assert (passage.notes, passage.strokes, passage.length) == ((), (), passage.movement.bar)
