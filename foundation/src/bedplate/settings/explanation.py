import re
from collections.abc import Iterator
from enum import Enum
from typing import Any, NamedTuple
from urllib.parse import unquote, urlsplit

from pydantic import SecretStr

from bedplate.passwords import MASK, without_passwords
from bedplate.settings.base import Settings
from bedplate.settings.sources import sources_of

_STORES = {"postgres", "postgresql", "redis", "rediss", "sqlite", "unix", "valkey", "valkeys"}
_PASSWORD = re.compile(r"://[^\s/]*@")


class SettingLine(NamedTuple):
    """One setting as `bedplate settings` shows it."""

    variable: str
    value: str
    origin: str
    meaning: str


def explain(settings_class: type[Settings]) -> list[SettingLine]:
    """Return each setting with value (secrets masked), origin, meaning. Raises `SettingsError`."""
    settings = settings_class.load()
    origins: dict[str, str] = {}
    env_file = settings_class.model_config.get("env_file")
    for label, source in sources_of(settings_class, settings_class.shared, env_file):
        origins = dict.fromkeys(source(), label) | origins
    return [
        SettingLine(
            settings_class.variable(name),
            _display(getattr(settings, name)),
            origins.get(name, "default"),
            field.description or "",
        )
        for name, field in settings_class.model_fields.items()
    ]


def without_secrets(text: str, settings: Settings) -> str:
    """Return a text of somebody else's, such as an exception's, without what is secret in it.

    That is the value of each secret setting, the password of one that is a URL, and any URL with
    user or password.
    """
    for value in sorted(_secrets_of(settings), key=len, reverse=True):
        text = text.replace(value, MASK)
    return without_passwords(text)


def _secrets_of(settings: Settings) -> Iterator[str]:
    for name in type(settings).model_fields:
        value = getattr(settings, name)
        if not isinstance(value, SecretStr) or not (secret := value.get_secret_value()):
            continue
        if "://" in secret:
            user, at, _ = secret.partition("://")[2].rpartition("@")
            password = user.partition(":")[2]
            yield from (part for part in (password, unquote(password)) if at and part)
        yield secret


def _display(value: Any) -> str:
    """Return a value as an environment variable would hold it, with secrets masked."""
    if value is None:
        return "not set"
    if isinstance(value, SecretStr):
        return _store_address(value.get_secret_value()) or MASK
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Enum):
        return str(value.value)
    if isinstance(value, list | tuple | set | frozenset):
        return ",".join(_display(item) for item in value)
    return _PASSWORD.sub(f"://{MASK}@", str(value))


def _store_address(url: str) -> str | None:
    """Return the URL of a database or of Redis without user, password and parameters.

    None for any other URL, and for one whose path, query or fragment may hold a password.
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
