"""Fail when a generated file isn't what its command makes now, or a contract isn't kept.

A generated file of `deploy/` says near its top which command made it.
"""

import re
import shlex
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
MADE_BY = re.compile(r"Made by `bedplate ([^`]+)`")
HEAD = 1000
"""Characters at the top of a file that may hold the command."""

ALWAYS = [["contracts", "generate", "--check"], ["contracts", "check"]]


def commands() -> list[list[str]]:
    """Return every command that checks what was generated."""
    heads = [path.read_text()[:HEAD] for path in sorted(ROOT.glob("deploy/**/*")) if path.is_file()]
    found = [match[1] for head in heads if (match := MADE_BY.search(head))]
    return [*ALWAYS, *([*shlex.split(command), "--check"] for command in found)]


def holds(command: list[str]) -> bool:
    """Run a command at the root of the repository, and return whether it succeeds."""
    bedplate = Path(sys.executable).with_name("bedplate")
    return subprocess.run([bedplate, *command], cwd=ROOT, check=False).returncode == 0  # noqa: S603


if __name__ == "__main__":
    failed = [command for command in commands() if not holds(command)]
    sys.exit(1 if failed else 0)
