"""Database URLs: what Neon, Heroku and libpq print works unchanged.

asyncpg doesn't read libpq's query parameters, so they are translated here.
"""

import ssl
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

_POSTGRESQL = {"postgres", "postgresql", "postgresql+asyncpg", "postgresql+psycopg"}
_SQLITE = {"sqlite", "sqlite+aiosqlite"}
_SSL_MODES = {"disable", "allow", "prefer", "require", "verify-ca", "verify-full"}
_SSL_FILES = {"sslrootcert", "sslcert", "sslkey", "sslpassword"}


class DatabaseURLError(ValueError):
    """A database URL that can't work; the sentence says why, and never repeats the URL."""


@dataclass(frozen=True)
class DatabaseURL:
    """A URL in SQLAlchemy's words, and what the driver's `connect` wants beside it."""

    url: URL
    connect_args: dict[str, Any] = field(default_factory=dict)
    pooled: bool = False

    @property
    def sqlite(self) -> bool:
        """Whether this is SQLite."""
        return self.url.get_backend_name() == "sqlite"


def parse_database_url(text: str, *, pooler: bool = False) -> DatabaseURL:
    """Return what SQLAlchemy and the driver need to connect to `text`.

    `pooler` says that a transaction pooler stands in between; a host name with `-pooler` says so
    too (Neon). Raises `DatabaseURLError`.
    """
    try:
        url = make_url(text)
    except (ArgumentError, ValueError):
        raise DatabaseURLError(
            "This is no database URL: it should look like postgresql://user:password@host/name "
            "or sqlite:///path."
        ) from None
    if url.drivername in _SQLITE:
        return _sqlite(url)
    if url.drivername in _POSTGRESQL:
        return _postgresql(url, pooler=pooler)
    raise DatabaseURLError(
        f"{url.drivername!r} is not supported: use a postgresql:// or a sqlite:/// URL."
    )


def _sqlite(url: URL) -> DatabaseURL:
    if url.database and url.database != ":memory:":
        Path(url.database).expanduser().parent.mkdir(parents=True, exist_ok=True)
    return DatabaseURL(url.set(drivername="sqlite+aiosqlite"))


def _postgresql(url: URL, *, pooler: bool) -> DatabaseURL:
    if not url.database:
        raise DatabaseURLError("The PostgreSQL URL names no database: end it with /name.")
    options = _single_values(url)
    arguments: dict[str, Any] = {}
    settings: dict[str, str] = {}
    _take_ssl(options, arguments)
    # asyncpg can't bind the channel; SCRAM itself and TLS work as ever.
    options.pop("channel_binding", None)
    if (timeout := options.pop("connect_timeout", None)) is not None:
        arguments["timeout"] = _seconds(timeout)
    if (name := options.pop("application_name", None)) is not None:
        settings["application_name"] = name
    if (target := options.pop("target_session_attrs", None)) is not None:
        arguments["target_session_attrs"] = target
    settings.update(_server_options(options.pop("options", "")))
    kept: dict[str, str] = {name: options.pop(name) for name in ("host", "port") if name in options}
    if options:
        raise DatabaseURLError(
            f"The PostgreSQL URL has parameters that can't be honoured: {', '.join(options)}."
        )
    if settings:
        arguments["server_settings"] = settings
    pooled = pooler or "-pooler" in (url.host or "")
    if pooled:
        arguments |= _without_prepared_statements()
    return DatabaseURL(
        url.set(drivername="postgresql+asyncpg", query=kept), arguments, pooled=pooled
    )


def _single_values(url: URL) -> dict[str, str]:
    return {
        name: value if isinstance(value, str) else value[-1] for name, value in url.query.items()
    }


def _take_ssl(options: dict[str, str], arguments: dict[str, Any]) -> None:
    mode = options.pop("sslmode", None) or options.pop("ssl", None)
    files = {name: options.pop(name) for name in _SSL_FILES & options.keys()}
    if mode is None and not files:
        return
    mode = {"true": "require", "false": "disable"}.get(mode or "prefer", mode or "prefer")
    if mode not in _SSL_MODES:
        raise DatabaseURLError(f"sslmode must be one of {', '.join(sorted(_SSL_MODES))}.")
    arguments["ssl"] = _ssl_context(mode, files) if files else mode


def _ssl_context(mode: str, files: dict[str, str]) -> ssl.SSLContext:
    root = files.get("sslrootcert")
    try:
        context = ssl.create_default_context(cafile=root if root != "system" else None)
        if "sslcert" in files:
            context.load_cert_chain(files["sslcert"], files.get("sslkey"), files.get("sslpassword"))
    except OSError as error:
        raise DatabaseURLError(
            f"A certificate of the URL can't be read: {error.strerror}."
        ) from None
    context.check_hostname = mode == "verify-full"
    if mode not in {"verify-ca", "verify-full"} and root is None:
        context.verify_mode = ssl.CERT_NONE
    return context


def _seconds(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise DatabaseURLError("connect_timeout must be a number of seconds.") from None


def _server_options(text: str) -> dict[str, str]:
    """Return libpq's `options=-c name=value …` as server settings."""
    words = text.replace("-c", " ").split()
    pairs = [word.partition("=") for word in words]
    if any(not separator for _, separator, _ in pairs):
        raise DatabaseURLError("options must be written as -c name=value.")
    return {name.removeprefix("--"): value for name, _, value in pairs}


def _without_prepared_statements() -> dict[str, Any]:
    # Behind a transaction pooler the next statement may meet another server connection.
    return {
        "statement_cache_size": 0,
        "prepared_statement_cache_size": 0,
        "prepared_statement_name_func": lambda: f"__asyncpg_{uuid4()}__",
    }
