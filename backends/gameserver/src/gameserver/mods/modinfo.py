"""A mod's `modinfo.json`, read as leniently as the game reads it.

The game reads it with Newtonsoft.Json (vsapi, ModInfo.cs): it accepts a byte-order mark, comments,
trailing commas, single quotes and unquoted keys; keys match in any case, the last of two wins.
"""

import codecs
import json
import re
from typing import Any, Final, Self

import json5
from pydantic import BaseModel, Field

MAX_MODINFO_BYTES: Final = 65_536
GAME_MODS: Final = frozenset({"game", "survival", "creative"})
"""Ids that stand for the game itself in a mod's dependencies."""

_MOD_ID: Final = re.compile(r"(?!\d+$)[a-z0-9][a-z0-9_-]{0,63}", re.ASCII)
"""What people publish, and the game loads: it doesn't check its own documented rule,
`[a-z][a-z0-9]*`. An id of digits alone would be taken for a number of the mod database."""

_DERIVED_ID: Final = re.compile(r"[a-z][a-z0-9]{0,63}", re.ASCII)
_NOT_IN_ID: Final = re.compile(r"[^a-z0-9]", re.ASCII)
_SIDES: Final = {"server": "server", "client": "client", "universal": "both"}
_TYPES: Final = frozenset({"theme", "content", "code", "0", "1", "2"})
_UTF_16_MARKS: Final = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_MAX_TEXT_LENGTH: Final = 2_000
_MAX_ITEMS: Final = 200


class UnreadableModInfo(ValueError):
    """The game itself couldn't make sense of this modinfo.json. The message says why."""


class ModInfo(BaseModel):
    """What a mod says about itself. All of it is untrusted text.

    `dependencies` maps an id to the minimum version, "" for any; `side` is server, client or both.
    `refusal` says why the game refuses a modinfo that can be read here; "" when it doesn't.
    """

    mod_id: str
    name: str
    version: str = ""
    side: str = "both"
    required_on_client: bool = True
    description: str = ""
    website: str = ""
    authors: list[str] = Field(default_factory=list)
    dependencies: dict[str, str] = Field(default_factory=dict)
    refusal: str = ""

    @classmethod
    def parse(cls, content: bytes) -> Self:
        """Return what `content` says. Raises `UnreadableModInfo`."""
        fields = _Fields(_loads(content))
        name = fields.text("name")
        mod_id = fields.text("modid").strip().lower() or _derived_id(name)
        if not is_mod_id(mod_id):
            raise UnreadableModInfo("Its modid may have letters, digits, _ and - only.")
        return cls(
            mod_id=mod_id,
            name=name or mod_id,
            version=fields.text("version").strip()[:64],
            side=_SIDES.get(fields.text("side").strip().lower(), "both"),
            required_on_client=fields.truth("requiredonclient"),
            description=fields.text("description"),
            website=fields.text("website"),
            authors=fields.texts("authors"),
            dependencies=fields.dependencies(),
            refusal=fields.refusal(),
        )


class _Fields:
    """The fields of the outermost object, in any case of their names."""

    def __init__(self, document: dict[str, Any]) -> None:
        self._values = {name.lower(): value for name, value in document.items()}

    def text(self, name: str) -> str:
        value = self._values.get(name)
        return storable(str(value)) if isinstance(value, str | int | float) else ""

    def texts(self, name: str) -> list[str]:
        value = self._values.get(name)
        items = value if isinstance(value, list) else [value]
        return [storable(item) for item in items if isinstance(item, str)][:_MAX_ITEMS]

    def truth(self, name: str) -> bool:
        value = self._values.get(name, True)
        return value.strip().lower() != "false" if isinstance(value, str) else bool(value)

    def refusal(self) -> str:
        """Return which field the game's reader can't take (vsapi, ModInfo.cs)."""
        if self.text("type").strip().lower() not in _TYPES:
            return "The game refuses it: its type isn't theme, content or code."
        if not self.text("name"):
            return "The game refuses it: it has no name."
        if "side" in self._values and self.text("side").strip().lower() not in _SIDES:
            return "The game refuses it: its side isn't server, client or universal."
        for name, kind, what in (
            ("authors", list, "list"),
            ("contributors", list, "list"),
            ("dependencies", dict, "object"),
        ):
            if not isinstance(self._values.get(name), kind | None):
                return f"The game refuses it: its {name} are no {what}."
        return ""

    def dependencies(self) -> dict[str, str]:
        value = self._values.get("dependencies")
        if not isinstance(value, dict):
            return {}
        if len(value) > _MAX_ITEMS:
            raise UnreadableModInfo(f"It names more than {_MAX_ITEMS} dependencies.")
        named = {name.strip().lower(): need for name, need in value.items()}
        return {
            mod_id: need.strip()[:64] if isinstance(need, str) and need.strip() != "*" else ""
            for mod_id, need in named.items()
            if is_mod_id(mod_id)
        }


def storable(text: str) -> str:
    """Return a bounded text that JSON and terminals can hold: no lone surrogates, no controls."""
    visible = "".join(
        item for item in text[:_MAX_TEXT_LENGTH] if item in "\n\t" or item.isprintable()
    )
    return visible.encode("utf-8", "replace").decode()


def is_mod_id(text: str) -> bool:
    """Return whether a text is a mod's id in lower case, and so safe in a file name and a URL."""
    return _MOD_ID.fullmatch(text) is not None


def _derived_id(name: str) -> str:
    """Return the id that the game makes of a name (vsapi, ModInfo.ToModID)."""
    mod_id = _NOT_IN_ID.sub("", name.lower())
    if _DERIVED_ID.fullmatch(mod_id) is None:
        raise UnreadableModInfo("It has neither a modid nor a name to derive one from.")
    return mod_id


def _loads(content: bytes) -> dict[str, Any]:
    if len(content) > MAX_MODINFO_BYTES:
        raise UnreadableModInfo(f"It has more than {MAX_MODINFO_BYTES} bytes.")
    encoding = "utf-16" if content.startswith(_UTF_16_MARKS) else "utf-8"
    # .NET replaces what it can't decode.
    text = content.decode(encoding, "replace").lstrip("\ufeff")
    try:
        document = _lenient(text)
    except (ValueError, RecursionError):
        raise UnreadableModInfo("It is not JSON, even read leniently.") from None
    if not isinstance(document, dict) or not all(isinstance(name, str) for name in document):
        raise UnreadableModInfo("It is not a JSON object.")
    return document


def _lenient(text: str) -> Any:
    """Return the JSON in a text; json5 is a thousand times slower, so it comes second."""
    try:
        return json.loads(text, strict=False)
    except ValueError:
        return json5.loads(text, strict=False)
