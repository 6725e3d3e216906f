"""Writes a sketch as a Csound file: an orchestra of five instruments and a score in seconds."""

from collections.abc import Iterator

from fountain.story_factory.orchestration.sketch import Passage, Play, Sketch, sketch
from fountain.story_factory.orchestration.voices import STRUCK

# Only comments contain the play's own words. Csound reads tags, macros and continued lines
# even there, so only letters, digits and these characters are kept.
_SAFE = frozenset(" .,:!?'()-…\u2019")

_HEAD = """\
<CsoundSynthesizer>
<CsOptions>
-W -o sound.wav
</CsOptions>
<CsInstruments>
sr = 44100
ksmps = 32
nchnls = 2
0dbfs = 1

; p4 amplitude, p5 pitch in hertz, p6 place from left (0) to right (1)
instr 1 ; plucked
  aSound pluck p4, p5, p5, 0, 1
  aEnd linsegr 1, p3, 1, 0.05, 0
  aLeft, aRight pan2 aSound * aEnd, p6
  outs aLeft, aRight
endin

instr 2 ; bowed
  aLoud linen p4, 0.08, p3, 0.1
  aSound vco2 1, p5
  aSoft tone aSound * aLoud, p5 * 4
  aLeft, aRight pan2 aSoft, p6
  outs aLeft, aRight
endin

instr 3 ; blown
  aLoud linen p4, 0.05, p3, 0.08
  aSound foscili aLoud, p5, 1, 2, 0.8
  aLeft, aRight pan2 aSound, p6
  outs aLeft, aRight
endin

instr 4 ; brass
  aLoud linen p4, 0.04, p3, 0.08
  kBright linseg 1, p3 * 0.3, 4, p3 * 0.7, 1
  aSound foscili aLoud, p5, 1, 1, kBright
  aLeft, aRight pan2 aSound, p6
  outs aLeft, aRight
endin

instr 9 ; struck
  aLoud expon p4, p3, 0.001
  aNoise rand aLoud
  aSound reson aNoise, p5, p5 * 0.3, 2
  aLeft, aRight pan2 aSound, p6
  outs aLeft, aRight
endin
</CsInstruments>
<CsScore>
"""
_FOOT = "e\n</CsScore>\n</CsoundSynthesizer>\n"


def csound_file(play: Play) -> bytes:
    """Return a play set to music, as a Unified Csound file (.csd) in UTF-8."""
    return "".join([_HEAD, *_score(sketch(play)), _FOOT]).encode()


def _score(music: Sketch) -> Iterator[str]:
    yield _comment(f"{music.title} - {music.author}")
    start = 0.0
    for passage in music.passages:
        yield from _passage(passage, start)
        start += passage.length * passage.movement.seconds
    # Without this a score would end before its last silence.
    yield f"f 0 {start:.3f}\n"


def _passage(passage: Passage, start: float) -> Iterator[str]:
    eighth = passage.movement.seconds
    if passage.opens and passage.movement.heading:
        yield _comment(f"-- {passage.movement.heading} --")
    if passage.speaker or passage.caption:
        yield _comment(f"{passage.speaker}: {passage.caption}")
    for stroke in passage.strokes:
        yield _event(STRUCK, start + stroke * eighth, eighth, 0.15, passage.drum.hertz, 0.5)
    place = passage.voice.program % 8 / 10 + 0.15
    loudness = 0.3 if passage.loud else 0.2
    for note in passage.notes:
        seconds = note.length * eighth
        hertz = 440 * 2 ** ((passage.movement.key.pitch(note.step) - 69) / 12)
        yield _event(passage.voice.timbre, start, seconds, loudness, hertz, place)
        start += seconds


def _event(
    instrument: int, start: float, seconds: float, loudness: float, hertz: float, place: float
) -> str:
    return f"i {instrument} {start:.3f} {seconds:.3f} {loudness} {hertz:.3f} {place:.2f}\n"


def _comment(text: str) -> str:
    return f"; {''.join(char if char.isalnum() or char in _SAFE else ' ' for char in text)}\n"
