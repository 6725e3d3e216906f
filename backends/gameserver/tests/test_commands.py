"""The commands `bedplate gameserver …`."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

BEDPLATE = [str(Path(sys.executable).with_name("bedplate")), "gameserver"]


def test_simulate_hands_its_arguments_on(tmp_path: Path) -> None:
    """The simulated game reads its own arguments, and its exit code is the command's."""
    words = [*BEDPLATE, "simulate", "--dataPath", str(tmp_path), "--port", "0"]
    done = subprocess.run(
        [*words, "--boot-seconds", "0"], input=b"/stop 9\n", stdout=subprocess.PIPE, check=False
    )
    assert done.returncode == 9
    assert b"now running on Port" in done.stdout


def test_simulate_helps_with_its_misbehaviour() -> None:
    """--help is the stand-in's own."""
    done = subprocess.run([*BEDPLATE, "simulate", "--help"], capture_output=True, check=True)
    assert b"--hang-at-stop" in done.stdout


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_stand_ins_say_where_they_are(number: signal.Signals) -> None:
    """The settings that lead to them are printed; Ctrl-C and SIGTERM end them cleanly."""
    words = [*BEDPLATE, "stand-ins", "--mods", "0", "--versions", "0"]
    with subprocess.Popen(words, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        lines = [process.stdout.readline() for _ in range(2)]
        process.send_signal(number)
        assert process.wait(20) == 0
    assert lines[0].startswith(b"VS_MOD_DATABASE_URL=http://127.0.0.1:")
    assert lines[1].startswith(b"VS_VERSION_FEED_URL=http://127.0.0.1:")
