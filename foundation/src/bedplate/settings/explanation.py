"""What `bedplate settings` shows: each setting, where it came from, and what it means."""

import re
from dataclasses import dataclass
from enum import Enum
from typing import Any
from urllib.parse import urlsplit

from pydantic import SecretStr

from bedplate.settings.base import Settings
from bedplate.settings.sources import sources_of

MASK = "***"
_NOT_SET = "not set"
_STORES = {"postgres", "postgresql", "redis", "rediss", "sqlite", "unix", "valkey", "valkeys"}
_PASSWORD = re.compile(r"://[^\s/]*@")


@dataclass(frozen=True)
class SettingLine:
    """One setting as `bedplate settings` shows it."""

    variable: str
    value: str
    origin: str
    meaning: str


def explain(settings_class: type[Settings]) -> list[SettingLine]:
    """Return each setting with its value (secrets masked), where it came from and its meaning.

    Raises `SettingsError` for settings that are refused.
    """
    settings = settings_class.load()
    origins = _origins(settings_class)
    return [
        SettingLine(
            settings_class.variable(name),
            _shown(getattr(settings, name)),
            origins.get(name, "default"),
            field.description or "",
        )
        for name, field in settings_class.model_fields.items()
    ]


def _origins(settings_class: type[Settings]) -> dict[str, str]:
    env_file = settings_class.model_config.get("env_file")
    origins: dict[str, str] = {}
    for label, source in sources_of(settings_class, settings_class.shared, env_file):
        for name in source():
            origins.setdefault(name, label)
    return origins


def _shown(value: Any) -> str:
    """Return a value as the environment would write it, without what is secret in it."""
    if value is None:
        return _NOT_SET
    if isinstance(value, SecretStr):
        return _address_of_store(value.get_secret_value()) or MASK
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Enum):
        return str(value.value)
    if isinstance(value, list | tuple | set | frozenset):
        return ",".join(_shown(item) for item in value)
    return _PASSWORD.sub(f"://{MASK}@", str(value))


def _address_of_store(url: str) -> str | None:
    """Return the URL of a database or of Redis without user, password and parameters.

    None when it is nothing of the kind, or when a password might stand where none belongs.
    """
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    beyond = f"{parts.path}{parts.query}{parts.fragment}"
    if parts.scheme.partition("+")[0] not in _STORES or "@" in beyond:
        return None
    _, at, host = parts.netloc.rpartition("@")
    return f"{parts.scheme}://{f'{MASK}@' if at else ''}{host}{parts.path}"
