"""Fail when a Markdown link leads nowhere, or docs/index.md doesn't link to a page of docs/."""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)|!\[[^\]]*\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ +(.+?) *$", re.MULTILINE)
CODE = re.compile(r"```.*?```|`[^`\n]*`", re.DOTALL)


def tracked_pages() -> list[Path]:
    """Return every Markdown file that git knows or would add."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.md"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)  # noqa: S603
    return [ROOT / name for name in sorted(listed.stdout.split("\n")) if name]


def anchors(page: Path) -> set[str]:
    """Return the anchors of a page's headings, as forges make them."""
    headings = HEADING.findall(re.sub(r"```.*?```", "", page.read_text(), flags=re.DOTALL))
    return {re.sub(r"[^\w\- ]", "", h.lower()).replace(" ", "-") for h in headings}


def broken(page: Path) -> list[str]:
    """Return the links of a page that lead nowhere in this repository."""
    links = []
    for groups in LINK.findall(CODE.sub("", page.read_text())):
        target = next(part for part in groups if part)
        if "://" in target or target.startswith("mailto:"):
            continue
        path, _, anchor = target.partition("#")
        file = (page.parent / path).resolve() if path else page
        if not file.exists() or (anchor and file.suffix == ".md" and anchor not in anchors(file)):
            links.append(f"{page.relative_to(ROOT)}: {target}")
    return links


def missing_from_index() -> list[str]:
    """Return the pages of docs/ that docs/index.md doesn't link to."""
    index = ROOT / "docs" / "index.md"
    links = {next(filter(None, groups)) for groups in LINK.findall(index.read_text())}
    pages = {page.name for page in index.parent.glob("*.md")}
    return sorted(pages - links - {index.name})


if __name__ == "__main__":
    wrong = [line for page in tracked_pages() if page.exists() for line in broken(page)]
    wrong += [f"docs/index.md: no link to {name}" for name in missing_from_index()]
    sys.exit("Broken or missing links:\n" + "\n".join(wrong) if wrong else 0)
