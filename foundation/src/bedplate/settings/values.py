"""Types of settings. No error message repeats the value."""

import re
from collections.abc import Iterator
from ipaddress import ip_network
from typing import Annotated, Any, get_args
from urllib.parse import SplitResult, parse_qsl, urlsplit

from pydantic import AfterValidator, BeforeValidator, SecretStr
from pydantic.fields import FieldInfo
from pydantic_settings import NoDecode

MIN_SECRET_BYTES = 32


class SettingsError(Exception):
    """A setting that can't be used; the sentence names the variable and says what to do."""


_ORIGIN = re.compile(r"\*|null|[a-z][a-z0-9+.-]*://[^\s/?#@*]+", re.IGNORECASE)
_WEB_URL = re.compile(r"https?://[^\s/?#@]+(?:/[^\s?#]*)?", re.IGNORECASE)
_REDIS_URL = re.compile(r"(?:redis|valkey)s?://.+|unix://.+", re.IGNORECASE)


_REDIS_DATABASE = re.compile(r"/?|/\d+")
_REDIS_OPTIONS = {
    "db": re.compile(r"\d+"),
    "username": re.compile(r".+"),
    "password": re.compile(r".+"),
    "client_name": re.compile(r".+"),
    "ssl_cert_reqs": re.compile(r"none|optional|required"),
    "ssl_check_hostname": re.compile(r"true|false", re.IGNORECASE),
    "ssl_ca_certs": re.compile(r".+"),
    "ssl_certfile": re.compile(r".+"),
    "ssl_keyfile": re.compile(r".+"),
}
_REDIS_OPTION_NAMES = ", ".join(_REDIS_OPTIONS)


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


def _has_readable_port(url: str) -> bool:
    try:
        return urlsplit(url).port != 0
    except ValueError:  # also for a broken IPv6 address
        return False


def _names_a_redis(parts: SplitResult) -> bool:
    if parts.scheme == "unix":
        return parts.path not in {"", "/"}
    return parts.hostname is not None and _REDIS_DATABASE.fullmatch(parts.path) is not None


def _redis_url(url: SecretStr) -> SecretStr:
    text = url.get_secret_value()
    if not _REDIS_URL.fullmatch(text):
        raise ValueError("It should look like redis://host:6379/0")
    parts = urlsplit(text) if _has_readable_port(text) else None
    if parts is None or parts.fragment or not _names_a_redis(parts):
        raise ValueError(
            "Host, port or database can't be read: it should look like "
            "redis://user:password@host:6379/0, with # as %23 and / as %2F in the password"
        )
    for name, value in parse_qsl(parts.query, keep_blank_values=True):
        accepted = _REDIS_OPTIONS.get(name)
        if accepted is None:
            raise ValueError(f"It has an unknown option; these can be used: {_REDIS_OPTION_NAMES}")
        if not accepted.fullmatch(value):
            raise ValueError(f"Its option {name} should match {accepted.pattern}")
        if name.startswith("ssl_") and parts.scheme not in {"rediss", "valkeys"}:
            raise ValueError(f"Its option {name} needs rediss:// or valkeys://")
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
