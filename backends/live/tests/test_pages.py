"""The lines of the README, the documentation and the first steps run as they stand, with `sh`."""

import re
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from bedplate.testing.processes import ServerProcess, free_port
from live.backend import backend

pytestmark = pytest.mark.skipif(not shutil.which("curl"), reason="The pages are run with curl.")

ROOT = Path(__file__).parents[3]
EVENING = ROOT / "docs" / "run-an-evening.md"
README = ROOT / "backends" / "live" / "README.md"
BLOCK = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)
URL = "http://127.0.0.1:8000/live"
LONGEST = 120.0


@pytest.fixture
def server(tmp_path: Path) -> Iterator[str]:
    """The URL of the backend as `bedplate run live` serves it, in an empty folder."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    bedplate = str(Path(sys.executable).with_name("bedplate"))
    ports = ["--port", str(port), "--operations-port", str(free_port())]
    with ServerProcess([bedplate, "run", "live", *ports], url=f"{url}/health", cwd=tmp_path):
        yield url


def lines_of(page: Path) -> str:
    """Return all blocks of a page as one script."""
    return "".join(BLOCK.findall(page.read_text()))


def said(script: str, folder: Path) -> str:
    """Return what a script prints; it fails where a command fails or a variable is missing."""
    done = subprocess.run(
        ["sh", "-eu", "-c", script], capture_output=True, text=True, timeout=LONGEST, cwd=folder,
        check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, ""), done.stderr + done.stdout
    return done.stdout


def check_shown(shown: Iterable[str], printed: str) -> None:
    """Check that each answer is printed as it is shown, in their order; `…` is anything."""
    place = 0
    for answer in shown:
        for piece in filter(None, answer.split("…")):
            found = printed.find(piece, place)
            assert found >= 0, f"{piece!r} isn't in\n{printed[place:]}"
            place = found + len(piece)


def comments(script: str) -> list[str]:
    """Return the answers that a script's comments show, without their braces."""
    return re.findall(r"# \{(.*)\}$", script, re.MULTILINE)


def test_the_readme(server: str, tmp_path: Path) -> None:
    """The evening of the README goes as its comments show, and ends with a completed session."""
    script = lines_of(README).replace(URL, server)
    printed = said(script, tmp_path)
    check_shown(comments(script), printed)
    assert '"state":"completed"' in printed
    assert "Tea?,poll,1,3," in printed


def test_the_root_readme(server: str, tmp_path: Path) -> None:
    """The commands of the README at the root answer as it shows."""
    (block,) = re.findall(r"```console\n(\$ LIVE=.*?)^```$", (ROOT / "README.md").read_text(),
                          re.MULTILINE | re.DOTALL)  # fmt: skip
    parts = [part.partition("\n{") for part in re.split(r"^\$ ", block, flags=re.MULTILINE)]
    script = "\n".join(command for command, _, _ in parts).replace(URL, server)
    check_shown((answer.strip() for _, _, answer in parts), said(script, tmp_path))


def test_the_evening(server: str, tmp_path: Path) -> None:
    """Every line of docs/run-an-evening.md works, and what is refused has the status it names."""
    script = lines_of(EVENING).replace(URL, server)
    script = script.replace("'%{http_code}\\n'", "'\\nstatus %{http_code}\\n'")
    printed = said(script, tmp_path)
    check_shown(comments(script), printed)
    expected = re.findall(r"^status .*# ([0-9]{3}): ", script, re.MULTILINE)
    assert re.findall(r"^status ([0-9]{3})$", printed, re.MULTILINE) == expected
    assert len(expected) > 20
    assert set(expected) == {"401", "403", "404", "409", "410", "422"}
    refused = re.findall(r'"status":([0-9]{3})', printed)
    assert refused == []
    exports = [(tmp_path / f"by-{name}.csv").read_text() for name in ("answer", "participant")]
    assert "2 + 2?,quiz,1," in exports[0]
    assert "ann 2,joined," in exports[1]


def test_the_first_steps(server: str, tmp_path: Path) -> None:
    """What `bedplate run` shows creates a session, joins it and votes."""
    steps = [step.replace("{url}", server) for step in backend.first_steps]
    printed = said("\n".join(steps), tmp_path)
    assert '"status":"stored"' in printed
    assert '"counts":{"a":1,"b":0}' in printed
