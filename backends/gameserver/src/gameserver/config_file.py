"""serverconfig.json as text: read leniently, changed where it must be and nowhere else.

Only the values that change are replaced in the text, so the order of keys, keys that nobody knows,
the form of numbers, the byte-order mark and line endings stay as the game wrote them.
"""

import hashlib
import json
import os
import re
from collections.abc import Iterator, Mapping
from json.decoder import scanstring  # type: ignore[attr-defined]  # there, and not in typeshed
from pathlib import Path
from typing import Any, Final

import json5

from bedplate.documents.atomic import refuse_unsuitable, write_atomically
from bedplate.problems import Conflict
from gameserver.disk import READ_FLAGS

_MAX_BYTES: Final = 2 * 1024 * 1024
_MARK: Final = b"\xef\xbb\xbf"
_BLANKS: Final = re.compile(r"[ \t\r\n]*")
_INDENT: Final = re.compile(r"\{\r?\n([ \t]+)\"")
_MODE: Final = 0o644
_DECODER: Final = json.JSONDecoder()

KeyPath = tuple[str, ...]
Values = dict[str, Any]


class SettingsUnreadable(Conflict):
    """serverconfig.json can't be read, or can't be changed safely; it is left as it is."""

    code = "settings_unreadable"


class ConfigText:
    """The text of a file that exists, and its values."""

    def __init__(self, content: bytes) -> None:
        """Raise `SettingsUnreadable` for what isn't a JSON object in UTF-8."""
        self._content = content
        self._mark = _MARK if content.startswith(_MARK) else b""
        try:
            self._text = content.removeprefix(_MARK).decode()
        except UnicodeDecodeError:
            raise SettingsUnreadable("serverconfig.json isn't UTF-8.") from None
        try:
            values = json.loads(self._text, strict=False)
        except (ValueError, RecursionError):
            values = self._lenient()
        if not isinstance(values, dict):
            raise SettingsUnreadable("serverconfig.json is not a JSON object.")
        self.values: Values = values

    @property
    def digest(self) -> str:
        """A hash of the whole file."""
        return hashlib.sha256(self._content).hexdigest()

    def get(self, path: KeyPath) -> Any:
        """Return the value that a path leads to; None when it leads nowhere."""
        value: Any = self.values
        for name in path:
            value = value.get(name) if isinstance(value, dict) else None
        return value

    def changed(self, values: Mapping[KeyPath, Any]) -> bytes:
        """Return the content with other values. Raises `SettingsUnreadable`.

        A file that the game accepts but that isn't JSON (it has comments) can't be changed.
        """
        text = self._text
        for path, value in values.items():
            text = _with_value(text, path, value)
        return self._mark + text.encode()

    def replaced(self, texts: Mapping[str, str]) -> bytes:
        """Return the content with other strings, whatever stands around them: comments, too.

        Raises `SettingsUnreadable` unless each occurs exactly once.
        """
        text = self._text
        for old, new in texts.items():
            literal = json.dumps(old, ensure_ascii=False)
            if text.count(literal) != 1:
                raise SettingsUnreadable("serverconfig.json can't be changed safely.")
            text = text.replace(literal, json.dumps(new, ensure_ascii=False))
        return self._mark + text.encode()

    def _lenient(self) -> Any:
        if len(self._text) > _MAX_BYTES // 16:
            raise SettingsUnreadable("serverconfig.json is not JSON.")
        try:
            return json5.loads(self._text, strict=False)
        except (ValueError, RecursionError):
            raise SettingsUnreadable("serverconfig.json is not JSON.") from None


class ConfigFile:
    """The file. Its methods block: call them in a thread."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def read(self) -> ConfigText | None:
        """Return its text, or None when there is no file yet. Raises `SettingsUnreadable`."""
        refuse_unsuitable(self.path)
        try:
            with os.fdopen(os.open(self.path, READ_FLAGS), "rb") as file:
                content = file.read(_MAX_BYTES + 1)
        except FileNotFoundError:
            return None
        except OSError:
            raise SettingsUnreadable("serverconfig.json can't be read.") from None
        if len(content) > _MAX_BYTES:
            raise SettingsUnreadable("serverconfig.json is too large.")
        return ConfigText(content)

    def create(self, values: Values) -> None:
        """Write the first file."""
        content = json.dumps(values, indent=2, ensure_ascii=False).encode()
        write_atomically(self.path, content, mode=_MODE)

    def write(self, content: bytes) -> None:
        """Replace the whole file."""
        write_atomically(self.path, content, mode=_MODE)

    def change(self, values: Mapping[KeyPath, Any]) -> None:
        """Change values in a file that exists, in one write. Raises `SettingsUnreadable`."""
        text = self.read()
        if text is None:
            raise SettingsUnreadable("There is no serverconfig.json yet.")
        write_atomically(self.path, text.changed(values), mode=_MODE)


def _with_value(text: str, path: KeyPath, value: Any) -> str:
    """Return a JSON text with another value at a path; a missing key is added at the end."""
    try:
        start = _skip(text, 0)
        for depth, name in enumerate(path):
            spans = dict(_members(text, start))
            if name not in spans:
                rest: Any = value
                for inner in reversed(path[depth + 1 :]):
                    rest = {inner: rest}
                return _with_member(text, start, spans, name, rest)
            start, end = spans[name]
    except (ValueError, IndexError, RecursionError):
        raise SettingsUnreadable(
            "serverconfig.json has comments or isn't strict JSON: edit it as a raw file."
        ) from None
    return text[:start] + _dumped(value, text, _indentation_at(text, start)) + text[end:]


def _members(text: str, start: int) -> Iterator[tuple[str, tuple[int, int]]]:
    """Yield the name and the value's place of every member of the object at `start`."""
    if text[start] != "{":
        raise ValueError("no object")
    at = _skip(text, start + 1)
    while text[at] != "}":
        if text[at] != '"':
            raise ValueError("no name")
        name, at = scanstring(text, at + 1, False)
        at = _skip(text, at)
        if text[at] != ":":
            raise ValueError("no colon")
        begin = _skip(text, at + 1)
        _, end = _DECODER.raw_decode(text, begin)
        yield name, (begin, end)
        at = _skip(text, end)
        if text[at] == ",":
            at = _skip(text, at + 1)
        elif text[at] != "}":
            raise ValueError("no comma")


def _with_member(
    text: str, start: int, spans: Mapping[str, tuple[int, int]], name: str, value: Any
) -> str:
    newline, unit = _newline(text), _unit(text)
    indentation = _indentation_at(text, start) + unit
    member = f"{json.dumps(name)}: {_dumped(value, text, indentation)}"
    if spans:
        end = max(end for _, end in spans.values())
        return f"{text[:end]},{newline}{indentation}{member}{text[end:]}"
    close = _skip(text, start + 1)
    outer = indentation.removesuffix(unit)
    return f"{text[:start]}{{{newline}{indentation}{member}{newline}{outer}{text[close:]}"


def _dumped(value: Any, text: str, indentation: str) -> str:
    dumped = json.dumps(value, indent=_unit(text), ensure_ascii=False)
    return dumped.replace("\n", _newline(text) + indentation)


def _indentation_at(text: str, place: int) -> str:
    line = text[text.rfind("\n", 0, place) + 1 : place]
    return line[: len(line) - len(line.lstrip(" \t"))]


def _unit(text: str) -> str:
    match = _INDENT.search(text)
    return match[1] if match else "  "


def _newline(text: str) -> str:
    return "\r\n" if "\r\n" in text else "\n"


def _skip(text: str, at: int) -> int:
    match = _BLANKS.match(text, at)
    return match.end() if match else at
