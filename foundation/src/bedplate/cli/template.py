"""The template of a backend: text files with placeholders such as `{{name}}`."""

import re
from collections.abc import Mapping
from itertools import groupby
from pathlib import Path

FOLDER = Path(__file__).with_name("template")
_PLACEHOLDER = re.compile(r"\{\{(\w+)\}\}")
_WORD = re.compile(r"[A-Z]\w+")


def render(part: str, values: Mapping[str, str]) -> dict[Path, str]:
    """Return the files of a part of the template: relative path and text."""
    return {
        Path(_fill(str(path.relative_to(FOLDER / part)), values).removesuffix(".txt")): (
            _sort_imports(_fill(path.read_text(encoding="utf-8"), values), values["name"])
        )
        for path in _files(part)
    }


def identifiers() -> set[str]:
    """Return every capitalised word in the sources of the template."""
    texts = (path.read_text(encoding="utf-8") for path in _files("project"))
    return {word for text in texts for word in _WORD.findall(_PLACEHOLDER.sub(" ", text))}


def _files(part: str) -> list[Path]:
    return sorted(path for path in (FOLDER / part).rglob("*.txt") if path.is_file())


def _fill(text: str, values: Mapping[str, str]) -> str:
    return _PLACEHOLDER.sub(lambda match: values[match[1]], text)


def _sort_imports(text: str, name: str) -> str:
    """Return the text with the imports of `bedplate` and `name` in the order that ruff wants."""
    own = re.compile(rf"from ((?:bedplate|{name})(?:\.\w+)*) import ")
    lines: list[str] = []
    for is_import, group in groupby(
        text.splitlines(keepends=True), lambda line: bool(own.match(line))
    ):
        block = list(group)
        lines += sorted(block, key=lambda line: line.split()[1]) if is_import else block
    return "".join(lines)
