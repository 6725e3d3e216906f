"""The README's story is true: its lines are run against a real server, and answer as it shows."""

import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from bedplate.testing.processes import ServerProcess, free_port
from gameserver.settings import DEVELOPMENT_ADMIN_KEY

README = Path(__file__).parents[1] / "README.md"
STORY = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)
WRITTEN_URL = "http://127.0.0.1:8000"
LONGEST = 60.0


@pytest.fixture
def server(tmp_path: Path) -> Iterator[str]:
    """Give the URL of a manager as `scripts/run gameserver` starts it, in an empty folder."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    command = [str(Path(sys.executable).with_name("bedplate")), "run", "gameserver"]
    ports = ["--port", str(port), "--operations-port", str(free_port())]
    with ServerProcess(
        [*command, *ports],
        url=f"{url}/openapi.json",
        env={"VS_GAME_PORT": str(free_port()), "VS_DATA_DIRECTORY": str(tmp_path)},
    ):
        yield url


def steps() -> list[tuple[str, str]]:
    """Return the commands of the story, each with the answer that is shown."""
    found = []
    for block in STORY.findall(README.read_text()):
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            lines = part.rstrip("\n").split("\n")
            last = next(n for n, line in enumerate(lines) if is_complete(lines[: n + 1]))
            command, answer = lines[: last + 1], lines[last + 1 :]
            found.append(("\n".join(command), "\n".join(answer)))
    return found


def is_complete(lines: list[str]) -> bool:
    """Return whether these lines are a whole command: no quotation open, no line to follow."""
    return "\n".join(lines).count("'") % 2 == 0 and not lines[-1].endswith("\\")


def check_shown(shown: str, answer: str) -> None:
    """Check that the pieces between the `…` of what is shown come in the answer, in this order."""
    place = 0
    for piece in re.split(r"…\n?", shown):
        wanted = piece.strip()
        found = answer.find(wanted, place)
        assert found >= 0, f"{wanted!r} is not in\n{answer}"
        place = found + len(wanted)


def said(script: str) -> str:
    """Return what a shell script prints; line feeds within a text begin new lines."""
    done = subprocess.run(
        ["bash", "-c", script], check=True, stdout=subprocess.PIPE, text=True, timeout=LONGEST
    )
    return done.stdout.replace("\\n", "\n")


def wait_for_operations(url: str) -> None:
    """Wait until no long work is under way: a person takes that time to read."""
    deadline = time.monotonic() + LONGEST
    headers = {"X-API-Key": DEVELOPMENT_ADMIN_KEY}
    while httpx2.get(f"{url}/operations?state=running", headers=headers, timeout=60).json():
        assert time.monotonic() < deadline
        time.sleep(0.1)


@pytest.mark.skipif(not shutil.which("curl"), reason="The story is run with curl.")
def test_the_story_is_true(server: str) -> None:
    """Start, command, backup, mod, broken mod, roll back, restore, schedule, stop: as shown."""
    script = "set -e\n"
    story = steps()
    assert len(story) > 15
    for command, shown in story:
        if not shown:
            script += command.replace(WRITTEN_URL, server) + "\n"
            continue
        check_shown(shown, said(script + command.replace("curl ", "curl -s ", 1)))
        wait_for_operations(server)
