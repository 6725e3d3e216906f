"""The sketch as a Standard MIDI File of format 1: tempo and headings, voices with words, drums."""

import io
from collections.abc import Callable

from mido import (  # type: ignore[import-untyped]
    Message,
    MetaMessage,
    MidiFile,
    MidiTrack,
    bpm2tempo,
)

from fountain.story_factory.orchestration.keys import LETTERS, Key
from fountain.story_factory.orchestration.play import Play
from fountain.story_factory.orchestration.sketch import Movement, Passage, Sketch, sketch
from fountain.story_factory.orchestration.voices import Voice

TICKS_PER_QUARTER = 480
_EIGHTH = TICKS_PER_QUARTER // 2
_VOICES, _DRUMS = 0, 9
_SOFT, _LOUD = 72, 104


class _Track:
    """Messages of a track, each at its own time in eighths; a file counts from one to the next."""

    def __init__(self) -> None:
        self.messages = MidiTrack()
        self._last = 0

    def add(self, at: int, message: Message | MetaMessage) -> None:
        """Add a message; none may be earlier than the one before."""
        message.time = (at - self._last) * _EIGHTH
        self._last = at
        self.messages.append(message)


def midi_file(play: Play) -> bytes:
    """Return a play set to music, as a Standard MIDI File (.mid); its texts are UTF-8."""
    music = sketch(play)
    file = MidiFile(type=1, ticks_per_beat=TICKS_PER_QUARTER)
    for name, fill in ((music.title, _conduct), ("Voices", _sing), ("Drums", _drum)):
        file.tracks.append(_track(music, name, fill))
    content = io.BytesIO()
    file.save(file=content)
    return content.getvalue()


def _track(music: Sketch, name: str, fill: Callable[[_Track, Passage, int], None]) -> MidiTrack:
    track = _Track()
    track.add(0, MetaMessage("track_name", name=_text(name)))
    start = 0
    for passage in music.passages:
        fill(track, passage, start)
        start += passage.length
    track.add(start, MetaMessage("end_of_track"))
    return track.messages


def _conduct(track: _Track, passage: Passage, start: int) -> None:
    if not passage.opens:
        return
    movement = passage.movement
    if movement.heading:
        track.add(start, MetaMessage("marker", text=_text(movement.heading)))
    for message in _signatures(movement):
        track.add(start, message)


def _signatures(movement: Movement) -> list[MetaMessage]:
    quarters = movement.bar // 2
    return [
        MetaMessage("set_tempo", tempo=bpm2tempo(movement.tempo)),
        MetaMessage("time_signature", numerator=quarters, denominator=4),
        MetaMessage("key_signature", key=_key(movement.key)),
    ]


def _key(key: Key) -> str:
    letter = LETTERS[key.tonic].upper()
    return letter + ("", "#", "b")[key.alteration(key.tonic)] + ("m" if key.minor else "")


def _sing(track: _Track, passage: Passage, start: int) -> None:
    if passage.notes:
        track.add(start, _program(passage.voice))
    velocity = _LOUD if passage.loud else _SOFT
    for note in passage.notes:
        pitch = passage.movement.key.pitch(note.step)
        track.add(start, MetaMessage("lyrics", text=_text(note.syllable + "-" * note.joined)))
        track.add(start, Message("note_on", channel=_VOICES, note=pitch, velocity=velocity))
        start += note.length
        track.add(start, Message("note_off", channel=_VOICES, note=pitch))


def _program(voice: Voice) -> Message:
    return Message("program_change", channel=_VOICES, program=voice.program)


def _drum(track: _Track, passage: Passage, start: int) -> None:
    note = passage.drum.note
    for stroke in passage.strokes:
        track.add(start + stroke, Message("note_on", channel=_DRUMS, note=note, velocity=_SOFT))
        track.add(start + stroke + 1, Message("note_off", channel=_DRUMS, note=note))


def _text(text: str) -> str:
    """Return a text whose UTF-8 is written: mido writes Latin-1, and another charset not safely.

    It keeps the charset in a global variable, which threads would change for one another.
    """
    return text.encode().decode("latin-1")
