"""`VS_CFG_<Key>`: what serverconfig.json holds at the very first start, from the environment."""

import json
from collections.abc import Mapping
from typing import Any, Final

from pydantic import ValidationError

from bedplate.settings import SettingsError
from gameserver.configuration.keys import ADAPTERS, CHANGEABLE

PREFIX: Final = "VS_CFG_"
_KEYS: Final = {name.replace(".", "__").casefold(): name for name in CHANGEABLE}
_WORDS: Final = {"true": True, "false": False, "on": True, "off": False, "null": None, "": None}


def from_environment(environment: Mapping[str, str]) -> dict[str, Any]:
    """Return values by key; `VS_CFG_WorldConfig__PlayStyle` is the key `WorldConfig.PlayStyle`.

    Names match in any case. Lists and objects are JSON. Raises `SettingsError` naming the variable.
    """
    found = {}
    for variable, text in environment.items():
        if not variable.upper().startswith(PREFIX):
            continue
        key = _KEYS.get(variable[len(PREFIX) :].casefold())
        if key is None:
            raise SettingsError(f"{variable} names no setting of the game.")
        found[key] = _value(variable, key, text)
    return found


def _value(variable: str, key: str, text: str) -> Any:
    """Return the first reading of a text that the key's type takes."""
    adapter = ADAPTERS[key]
    for candidate in _readings(text):
        try:
            return adapter.dump_python(adapter.validate_python(candidate), mode="json")
        except ValidationError:
            continue
    raise SettingsError(f"{variable} isn't a value of {key}: {CHANGEABLE[key].meaning}.")


def _readings(text: str) -> list[Any]:
    readings: list[Any] = []
    if text.strip().casefold() in _WORDS:
        readings.append(_WORDS[text.strip().casefold()])
    try:
        parsed = json.loads(text)
    except (ValueError, RecursionError):
        return [*readings, text]
    # A text is what it says, also when it looks like a number: a password of digits.
    return [*readings, *([] if isinstance(parsed, str) else [parsed]), text]
