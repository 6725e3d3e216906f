"""Voices and drums: always the same for the same text, and all of them in use."""

from fountain.story_factory.orchestration.voices import (
    DRUMS,
    NARRATOR,
    VOICES,
    drum_of,
    voice_of,
)


def test_a_character_keeps_its_voice() -> None:
    """A name has one voice in every play and every process; no name is the narrator's."""
    assert voice_of("Juliet") == voice_of("Juliet")
    assert (voice_of("Juliet").name, voice_of("Romeo").name) == ("trumpet", "trombone")
    assert voice_of("") == NARRATOR


def test_all_are_in_use() -> None:
    """Enough names need every voice, enough actions every drum."""
    assert {voice_of(f"Character {number}").name for number in range(200)} == {
        voice.name for voice in VOICES
    }
    assert {drum_of(f"Action {number}") for number in range(100)} == set(DRUMS)
