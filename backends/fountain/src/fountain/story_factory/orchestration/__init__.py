"""A story set to music: a sketch that the same story always gets, and three files of it.

Every movement (a section of the script) has its key, time and tempo, every character a voice. What
is said becomes a phrase with a note for each syllable, what happens strokes of percussion.
"""

from fountain.story_factory.orchestration.csound import csound_file
from fountain.story_factory.orchestration.lilypond import lilypond_file
from fountain.story_factory.orchestration.midi import midi_file
from fountain.story_factory.orchestration.sketch import Line, Play

__all__ = ["Line", "Play", "csound_file", "lilypond_file", "midi_file"]
