"""Types of settings. No error message repeats the value."""

import re
from collections.abc import Iterator
from ipaddress import ip_network
from typing import Annotated, Any, get_args
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, SecretStr
from pydantic.fields import FieldInfo
from pydantic_settings import NoDecode

MIN_SECRET_BYTES = 32


class SettingsError(Exception):
    """A setting that can't be used; the sentence names the variable and says what to do."""


_ORIGIN = re.compile(r"\*|null|[a-z][a-z0-9+.-]*://[^\s/?#@*]+", re.IGNORECASE)
_WEB_URL = re.compile(r"https?://[^\s/?#@]+(?:/[^\s?#]*)?", re.IGNORECASE)
_REDIS_URL = re.compile(r"(?:redis|valkey)s?://.+|unix://.+", re.IGNORECASE)


def _split(value: object) -> object:
    if isinstance(value, str):
        return [part.strip() for part in value.split(",") if part.strip()]
    return value


def _origins(origins: list[str]) -> list[str]:
    if not all(_ORIGIN.fullmatch(origin) for origin in origins):
        raise ValueError("An origin is scheme://host or scheme://host:port, without a path")
    return origins


def _networks(networks: list[str]) -> list[str]:
    try:
        for network in networks:
            ip_network(network, strict=False)
    except ValueError:
        raise ValueError("Each must be an address or a network such as 10.0.0.0/8") from None
    return networks


def _web_url(url: str) -> str:
    try:
        host = urlsplit(url).hostname
    except ValueError:  # a broken IPv6 address
        host = None
    if host is None or not _WEB_URL.fullmatch(url):
        raise ValueError(
            "It should look like https://example.com, without user, password, query and fragment"
        )
    return url.rstrip("/")


def _redis_url(url: SecretStr) -> SecretStr:
    if not _REDIS_URL.fullmatch(url.get_secret_value()):
        raise ValueError("It should look like redis://host:6379/0")
    return url


CommaSeparated = Annotated[list[str], NoDecode, BeforeValidator(_split)]
"""A list that the environment writes as `a,b,c`."""

Origins = Annotated[CommaSeparated, AfterValidator(_origins)]
"""Origins of browsers (RFC 6454), comma-separated; `*` is any."""

Networks = Annotated[CommaSeparated, AfterValidator(_networks)]
"""Addresses and networks (CIDR), comma-separated."""

WebURL = Annotated[str, AfterValidator(_web_url)]
"""Where a service on the web begins, without a slash at the end; nothing secret belongs in it."""

RedisURL = Annotated[SecretStr, AfterValidator(_redis_url)]
"""The URL of Redis or Valkey; a secret, since it may hold a password."""


class SigningSecret:
    """Marks a `SecretStr` that signs or hashes: in production at least 32 bytes, no default."""


Secret = Annotated[SecretStr, SigningSecret()]
"""A secret that signs or hashes; see `SigningSecret`."""


def is_signing_secret(field: FieldInfo) -> bool:
    """Return whether a field is a `Secret` or `Secret | None`, also by an alias."""
    marks = [*field.metadata, *_marks_within(field.annotation)]
    return any(isinstance(mark, SigningSecret) for mark in marks)


def _marks_within(annotation: Any) -> Iterator[Any]:
    yield from getattr(annotation, "__metadata__", ())
    for argument in get_args(annotation):
        yield from _marks_within(argument)
