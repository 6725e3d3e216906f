import re
from collections.abc import Mapping, MutableMapping
from functools import lru_cache
from typing import Any

MASK = "***"
_MAX_DEPTH = 8

_SECRET_NAME = re.compile(
    r"authorization|cookie|token|passw|secret|credential|(api|private|signing)[-_]?key",
    re.IGNORECASE,
)
# Up to the last @: a password that nobody escaped may contain / and @.
_URL_PASSWORD = re.compile(r"(://[^\s/:@]*:)\S+@")
_BEARER = re.compile(r"\b(bearer|basic)\s+[\w.~+/=-]{8,}", re.IGNORECASE)


def mask_secrets(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Mask values with the name of a secret, at any level, and passwords within texts.

    A structlog processor. Numbers and booleans stay: `prompt_tokens=12` is no secret.
    """
    for name, value in event.items():
        event[name] = _masked(name, value, 0)
    return event


def _masked(name: object, value: Any, depth: int) -> Any:
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(name, str) and _is_secret(name):
        return MASK
    if isinstance(value, str):
        return _mask_text(value)
    if isinstance(value, bytes):
        return _mask_text(value.decode("utf-8", "backslashreplace"))
    return _masked_container(value, depth + 1)


def _masked_container(value: Any, depth: int) -> Any:
    if not isinstance(value, Mapping | list | tuple):
        return value
    if depth > _MAX_DEPTH:
        return MASK
    if isinstance(value, Mapping):
        return {key: _masked(key, item, depth) for key, item in value.items()}
    return [_masked(_pair_name(item), item, depth) for item in value]


def _pair_name(item: Any) -> str | None:
    """Return the name in a `(name, value)` pair, as in lists of headers."""
    if not isinstance(item, tuple) or len(item) != 2:  # noqa: PLR2004 - a pair
        return None
    name = item[0]
    return name.decode("latin-1") if isinstance(name, bytes) else str(name)


@lru_cache(maxsize=1024)
def _is_secret(name: str) -> bool:
    return _SECRET_NAME.search(name) is not None


def _mask_text(text: str) -> str:
    if "://" in text:
        text = _URL_PASSWORD.sub(rf"\1{MASK}@", text)
    return _BEARER.sub(rf"\1 {MASK}", text)
