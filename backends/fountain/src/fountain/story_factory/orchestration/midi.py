"""Writes a sketch as a Standard MIDI File of format 1: tempo and headings, voices, drums."""

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
from fountain.story_factory.orchestration.sketch import Passage, Play, Sketch, sketch

TICKS_PER_QUARTER = 480
_EIGHTH = TICKS_PER_QUARTER // 2
_VOICES, _DRUMS = 0, 9
_SOFT, _LOUD = 72, 104


class _Track:
    """Messages of a track, added with their times in eighths; a file has the times in between."""

    def __init__(self) -> None:
        self.messages = MidiTrack()
        self._last = 0

    def add(self, at: int, kind: str, **values: int) -> None:
        """Add a message of a channel; the times must not decrease."""
        # The values are ours; mido's checks would take four times as long as everything else.
        self.messages.append(Message(kind, skip_checks=True, time=self._since(at), **values))

    def add_meta(self, at: int, kind: str, **values: int | str) -> None:
        """Add a meta message; texts are written in UTF-8."""
        # mido writes Latin-1. Its charset is a global variable, which threads would overwrite.
        encoded = {
            name: value.encode().decode("latin-1") if isinstance(value, str) else value
            for name, value in values.items()
        }
        self.messages.append(MetaMessage(kind, skip_checks=True, time=self._since(at), **encoded))

    def _since(self, at: int) -> int:
        passed, self._last = at - self._last, at
        return passed * _EIGHTH


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
    track.add_meta(0, "track_name", name=name)
    start = 0
    for passage in music.passages:
        fill(track, passage, start)
        start += passage.length
    track.add_meta(start, "end_of_track")
    return track.messages


def _conduct(track: _Track, passage: Passage, start: int) -> None:
    if not passage.opens:
        return
    movement = passage.movement
    if movement.heading:
        track.add_meta(start, "marker", text=movement.heading)
    track.add_meta(start, "set_tempo", tempo=bpm2tempo(movement.tempo))
    track.add_meta(start, "time_signature", numerator=movement.bar // 2, denominator=4)
    track.add_meta(start, "key_signature", key=_key(movement.key))


def _key(key: Key) -> str:
    letter = LETTERS[key.tonic].upper()
    return letter + ("", "#", "b")[key.alteration(key.tonic)] + ("m" if key.minor else "")


def _sing(track: _Track, passage: Passage, start: int) -> None:
    if passage.notes:
        track.add(start, "program_change", channel=_VOICES, program=passage.voice.program)
    velocity = _LOUD if passage.loud else _SOFT
    for note in passage.notes:
        pitch = passage.movement.key.pitch(note.step)
        track.add_meta(start, "lyrics", text=note.syllable + "-" * note.joined)
        track.add(start, "note_on", channel=_VOICES, note=pitch, velocity=velocity)
        start += note.length
        track.add(start, "note_off", channel=_VOICES, note=pitch)


def _drum(track: _Track, passage: Passage, start: int) -> None:
    note = passage.drum.note
    for stroke in passage.strokes:
        track.add(start + stroke, "note_on", channel=_DRUMS, note=note, velocity=_SOFT)
        track.add(start + stroke + 1, "note_off", channel=_DRUMS, note=note)
