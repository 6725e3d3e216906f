"""The MIDI file: read back by a library, every note ends, every text is there."""

import io
from collections import Counter

import mido  # type: ignore[import-untyped]
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fountain.story_factory.orchestration import Line, Play, midi_file
from fountain.story_factory.orchestration.sketch import sketch

PLAYS = st.builds(
    Play,
    st.text(),
    st.text(),
    st.lists(
        st.builds(Line, st.none() | st.integers(1, 2), st.text(), st.text(), st.text(), st.text()),
        max_size=6,
    ),
)


def parsed(play: Play) -> mido.MidiFile:
    """Return a play's MIDI file as mido reads it."""
    return mido.MidiFile(file=io.BytesIO(midi_file(play)), charset="utf-8")


@given(PLAYS)
def test_it_is_well_formed(play: Play) -> None:
    """Every note begins once and ends, all tracks last as long as the sketch, and so do seconds."""
    file, music = parsed(play), sketch(play)
    eighths = sum(passage.length for passage in music.passages)
    assert (file.type, file.ticks_per_beat, len(file.tracks)) == (1, 480, 3)
    for track in file.tracks:
        assert sum(message.time for message in track) == eighths * 240
        assert track[-1].type == "end_of_track"
        sounding: Counter[int] = Counter()
        for message in track:
            if message.type in {"note_on", "note_off"}:
                sounding[message.note] += 1 if message.type == "note_on" else -1
                assert sounding[message.note] in {0, 1}
        assert not +sounding
    seconds = sum(item.length * item.movement.seconds for item in music.passages)
    assert file.length == pytest.approx(seconds, rel=1e-4)


@given(PLAYS)
def test_texts(play: Play) -> None:
    """Title, headings and syllables come out as they went in, in UTF-8."""
    file, music = parsed(play), sketch(play)
    headings = [item.movement.heading for item in music.passages if item.opens]
    syllables = [
        note.syllable + "-" * note.joined for item in music.passages for note in item.notes
    ]
    assert file.tracks[0].name == music.title
    assert [item.text for item in file.tracks[0] if item.type == "marker"] == [
        heading for heading in headings if heading
    ]
    assert [item.text for item in file.tracks[1] if item.type == "lyrics"] == syllables


def test_no_mark_is_a_text(marked_play: Play) -> None:
    """Marks of emphasis and notes to the writer are in no title, marker or lyric."""
    conductor, voices, _ = parsed(marked_play).tracks
    assert conductor.name == "BRICK & STEEL"
    assert [item.text for item in conductor if item.type == "marker"] == ["Act 1"]
    assert [item.text for item in voices if item.type == "lyrics"] == ["Ay", "me!"]


def test_notes(verona: Play) -> None:
    """Voices sing on the first channel with their own program, drums on General MIDI's tenth."""
    music, file = sketch(verona), parsed(verona)
    conductor, voices, drums = file.tracks
    sung = [item.movement.key.pitch(note.step) for item in music.passages for note in item.notes]
    assert [item.note for item in voices if item.type == "note_on"] == sung
    programs = [item.program for item in voices if item.type == "program_change"]
    assert programs == [item.voice.program for item in music.passages if item.notes]
    assert {item.channel for item in voices if not item.is_meta} == {0}
    assert {item.channel for item in drums if not item.is_meta} == {9}
    tempi = [item.movement.tempo for item in music.passages if item.opens]
    actual = [mido.tempo2bpm(item.tempo) for item in conductor if item.type == "set_tempo"]
    assert actual == [pytest.approx(tempo, rel=1e-4) for tempo in tempi]
    bars = [item.numerator for item in conductor if item.type == "time_signature"]
    assert bars == [item.movement.bar // 2 for item in music.passages if item.opens]


def test_hostile_texts(hostile_play: Play) -> None:
    """Texts of any kind make a file that is read back."""
    assert len(parsed(hostile_play).tracks[1]) > 100
