"""modinfo.json, read as leniently as the game's JSON library reads it."""

import json
import re
import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

MAX_BYTES = 1024 * 1024
TOKENS = re.compile(
    r'"(?:\\.|[^"\\])*"'
    r"|'(?:\\.|[^'\\])*'"
    r"|//[^\n]*|/\*.*?\*/"
    r"|[A-Za-z_]\w*(?=\s*:)",
    re.DOTALL,
)
STRINGS_AND_TRAILING_COMMAS = re.compile(r'("(?:\\.|[^"\\])*")|,(?=\s*[}\]])', re.DOTALL)
TRIGGER = "simulated-game.json"
"""A file at a mod's root that makes the simulated game fail: {"startup": …}.

hang, crash       the game never becomes ready, or ends
assembly, start   the mod alone fails, with an exception
"""


class BadMod(Exception):
    """A file isn't a mod."""


@dataclass(frozen=True)
class ModInfo:
    """The facts of a mod that the game needs."""

    identifier: str
    version: str
    name: str
    side: str = "universal"
    file: str = ""
    dependencies: dict[str, str] = field(default_factory=dict)
    startup: str = ""

    def __str__(self) -> str:
        return f"{self.identifier}@{self.version}"


def read(path: Path) -> ModInfo:
    """Read a mod's archive or folder. Raises `BadMod`."""
    try:
        content, trigger = _from_folder(path) if path.is_dir() else _from_archive(path)
        values = {key.lower(): value for key, value in parse(content.decode("utf-8-sig")).items()}
        startup = str(json.loads(trigger).get("startup", ""))
    except (OSError, KeyError, ValueError, AttributeError, zipfile.BadZipFile) as error:
        raise BadMod(f"{path.name}: {error}") from error
    name = str(values.get("name", ""))
    return ModInfo(
        identifier=str(values.get("modid") or re.sub(r"[^a-z0-9]", "", name.lower())),
        version=str(values.get("version") or "1.0.0"),
        name=name,
        side=str(values.get("side") or "universal").lower(),
        file=path.name,
        dependencies={k: str(v or "") for k, v in (values.get("dependencies") or {}).items()},
        startup=startup,
    )


def _from_archive(path: Path) -> tuple[bytes, bytes]:
    with zipfile.ZipFile(path) as archive:
        names = {name.lower(): name for name in archive.namelist()}
        with archive.open(names["modinfo.json"]) as file:
            content = file.read(MAX_BYTES)
        trigger = archive.read(TRIGGER) if TRIGGER in names else b"{}"
    return content, trigger


def _from_folder(path: Path) -> tuple[bytes, bytes]:
    trigger = path / TRIGGER
    content = (path / "modinfo.json").read_bytes()[:MAX_BYTES]
    return content, trigger.read_bytes() if trigger.exists() else b"{}"


def parse(text: str) -> dict[str, Any]:
    """Parse JSON with comments, trailing commas, single quotes and bare keys.

    Raises `ValueError` when it is something else.
    """
    strict = TOKENS.sub(_strict, text)
    strict = STRINGS_AND_TRAILING_COMMAS.sub(lambda match: match[1] or "", strict)
    document = json.loads(strict, strict=False)
    if not isinstance(document, dict):
        raise ValueError("modinfo.json is not an object")  # noqa: TRY004 - as every other fault
    return document


def _strict(match: re.Match[str]) -> str:
    token = match[0]
    if token.startswith("/"):
        return " "
    if token.startswith("'"):
        return json.dumps(token[1:-1].replace("\\'", "'"))
    return token if token.startswith('"') else f'"{token}"'
