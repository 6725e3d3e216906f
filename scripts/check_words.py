"""Fail when a source, a page or a template uses a word that the house has a better one for.

`scripts/check_words.py FILE…` looks at these files only, instead of at all that git tracks.
"""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent
WORDS = {
    r"\btold\b": "notified, configured, `on_progress`",
    r"\btells? of\b": "reports",
    r"\b(MOST|LEAST|LONGEST|SHORTEST|LARGEST|SMALLEST)_": "MAX_… or MIN_…",
    r"\b(most|least|longest|shortest|largest|smallest)(: [\w | ]+)?( =|=) ?[\w(]": "max_… or min_…",
    r"\bfor one in\b": "the item's own name",
    r"\bits(: [^=]+)? = ": "the noun itself",
    r"\b_?shown\(": "to_response(",
    r"\bis no JSON\b": "is not JSON",
    r"\bon line\b(?! [\d{])": "online",
    r"\bwhat lacks\b": "what is missing",
    r"\ball to himself\b": "exclusive access",
    r"\b[nN]eighbours?\b": "service, client",
    r"\bwho may ask\b": "allowed callers",
    r"\bas before: [a-z]+ ": "two sentences",
    r"^\"\"\"What (goes over the wire|routes ask for|is stored)\.\"\"\"": "no docstring",
}
"""What is refused, as a regular expression, and what to write instead."""

SUFFIXES = {".md", ".py", ".txt", ".toml", ".sh"}
SKIPPED = re.compile(
    r"CHANGELOG\.md"  # names what was renamed
    r"|scripts/check_words\.py|foundation/tests/test_scripts\.py"
    r"|backends/fountain/src/.*/schemas\.py"  # made from contracts, in their words
)


def tracked_files() -> Iterator[Path]:
    """Yield every text file that git knows or would add."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout  # noqa: S603
    for name in sorted(names.splitlines()):
        path = ROOT / name
        if path.suffix in SUFFIXES and path.is_file() and not SKIPPED.fullmatch(name):
            yield path


def complaints(path: Path) -> Iterator[str]:
    """Yield `line: the word: the better word` for each refused word of a file."""
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        for pattern, better in WORDS.items():
            if match := re.search(pattern, line):
                yield f"{number}: {match[0].strip()!r}: better {better}"


if __name__ == "__main__":
    files = [Path(name).absolute() for name in sys.argv[1:]] or tracked_files()
    wrong = [f"{path}:{complaint}" for path in files for complaint in complaints(path)]
    sys.exit("\n".join(wrong).replace(f"{ROOT}/", "") or 0)
