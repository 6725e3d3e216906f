"""Keys: signatures, tonics and the pitches of steps."""

import pytest

from fountain.story_factory.orchestration.keys import KEYS, STEPS, Key

MAJOR = [0, 2, 4, 5, 7, 9, 11, 12]
MINOR = [0, 2, 3, 5, 7, 8, 10, 12]


@pytest.mark.parametrize("key", KEYS, ids=str)
def test_a_scale(key: Key) -> None:
    """From the tonic up each key has the intervals of its mode."""
    start = key.tonic + 5 * STEPS
    pitches = [key.pitch(start + step) for step in range(STEPS + 1)]
    assert [pitch - pitches[0] for pitch in pitches] == (MINOR if key.minor else MAJOR)


@pytest.mark.parametrize(
    ("key", "tonic"),
    [
        (Key(0, minor=False), 60),
        (Key(0, minor=True), 69),
        (Key(3, minor=True), 66),
        (Key(-2, minor=False), 70),
        (Key(-4, minor=False), 68),
    ],
    ids=["C major", "A minor", "F sharp minor", "B flat major", "A flat major"],
)
def test_a_tonic(key: Key, tonic: int) -> None:
    """The tonic at or above middle C is the note that names the key."""
    assert key.pitch(5 * STEPS + key.tonic) == tonic
