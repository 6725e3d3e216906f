"""Database URLs: what Neon, Heroku and libpq print works, translated to what asyncpg reads."""

import math
import os
import re
import ssl
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote
from uuid import uuid4

from sqlalchemy import URL, make_url
from sqlalchemy.exc import SQLAlchemyError

_POSTGRESQL = {"postgres", "postgresql", "postgresql+asyncpg", "postgresql+psycopg"}
_SQLITE = {"sqlite", "sqlite+aiosqlite"}
_SSL_MODES = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")
_SSL_FILES = ("sslrootcert", "sslcert", "sslkey", "sslpassword")
_SESSIONS = ("any", "primary", "standby", "read-write", "read-only", "prefer-standby")
_ADDRESS = ("host", "port", "user", "password")
_SETTINGS = ("application_name", "connect_timeout", "options", "target_session_attrs")
_HONOURED = sorted([*_ADDRESS, *_SETTINGS, "channel_binding", "ssl", "sslmode", *_SSL_FILES])
_MAX_PORT = 65_535
_POOLER = re.compile(r"-pooler|\.pooler\.")
_DEFAULT_PORT = "5432"
_SEVERAL_HOSTS = re.compile(
    r"(?P<begin>postgres[a-z+]*://(?:[^/?#]*@)?)(?P<hosts>[^/?#@]*,[^/?#@]*)"
    r"(?P<path>/[^?#]*)?(?:[?](?P<query>.*))?"
)
_PORT = re.compile(r":[^:\]]*$")
_ROOT_CERTIFICATE = Path("~/.postgresql/root.crt")


class DatabaseURLError(ValueError):
    """A database URL that can't work; the sentence says why, and never repeats the URL."""


@dataclass(frozen=True)
class DatabaseURL:
    """A URL in SQLAlchemy's words, and what the driver's `connect` wants beside it."""

    url: URL
    connect_args: dict[str, Any] = field(default_factory=dict)

    @property
    def sqlite(self) -> bool:
        """Whether this is SQLite."""
        return self.url.get_backend_name() == "sqlite"

    @property
    def in_memory(self) -> bool:
        """Whether this is SQLite without a file."""
        return self.sqlite and self.url.database in {None, "", ":memory:"}


def parse_database_url(text: str, *, pooler: bool = False) -> DatabaseURL:
    """Return what SQLAlchemy and the driver need to connect to `text`.

    `pooler`: a transaction pooler stands in between; a host name with `-pooler` (Neon) or
    `.pooler.` (Supabase) says so too. Raises `DatabaseURLError`, and touches nothing.
    """
    try:
        url = make_url(_with_hosts_as_parameters(text))
    except (SQLAlchemyError, ValueError):
        raise DatabaseURLError(
            "This is no database URL: it should look like postgresql://user:password@host/name "
            "or sqlite:///path."
        ) from None
    if "\0" in text:
        raise DatabaseURLError("A database URL can't contain the character U+0000.")
    if url.drivername in _SQLITE:
        return _sqlite(url)
    if url.drivername in _POSTGRESQL:
        return _postgresql(url, pooler=pooler)
    raise DatabaseURLError(
        "This kind of database is not supported: use a postgresql:// or a sqlite:/// URL."
    )


def _with_hosts_as_parameters(text: str) -> str:
    """Return a URL whose several hosts are parameters, as SQLAlchemy wants them."""
    if (match := _SEVERAL_HOSTS.fullmatch(text)) is None:
        return text
    hosts, ports = [], []
    for each in match["hosts"].split(","):
        host, _, port = each.rpartition(":") if _PORT.search(each) else (each, "", "")
        hosts.append(host.strip("[]"))
        ports.append(port or _DEFAULT_PORT)
    addresses = f"host={quote(','.join(hosts))}&port={quote(','.join(ports))}"
    query = f"{addresses}&{match['query']}" if match["query"] else addresses
    return f"{match['begin']}{match['path'] or ''}?{query}"


def _sqlite(url: URL) -> DatabaseURL:
    if url.host or url.port or url.username or url.password:
        raise DatabaseURLError(
            "The SQLite URL names a host: write sqlite:///path, or sqlite:////path for one that "
            "begins at the root."
        )
    if url.query:
        raise DatabaseURLError("A SQLite URL takes no parameters: write sqlite:///path.")
    path = None if url.database is None else os.path.expanduser(url.database)  # noqa: PTH111
    return DatabaseURL(url.set(drivername="sqlite+aiosqlite", database=path))


def _postgresql(url: URL, *, pooler: bool) -> DatabaseURL:
    if not url.database:
        raise DatabaseURLError("The PostgreSQL URL names no database: end it with /name.")
    if not set(url.query) <= set(_HONOURED):
        raise DatabaseURLError(
            "The PostgreSQL URL has a parameter that can't be honoured; these can: "
            f"{', '.join(_HONOURED)}."
        )
    options = {
        name: value if isinstance(value, str) else value[-1] for name, value in url.query.items()
    }
    arguments = _connect_arguments(options)
    if pooler or _POOLER.search(url.host or ""):
        # There the next statement may meet another server connection.
        arguments |= {
            "statement_cache_size": 0,
            "prepared_statement_cache_size": 0,
            "prepared_statement_name_func": lambda: f"__asyncpg_{uuid4()}__",
        }
    return DatabaseURL(_address(url, options), arguments)


def _address(url: URL, options: dict[str, str]) -> URL:
    """Return where to connect to and as whom, in SQLAlchemy's words."""
    address = url.set(
        drivername="postgresql+asyncpg",
        username=options.get("user", url.username),
        password=options.get("password", url.password),
        query={name: url.query[name] for name in ("host", "port") if name in url.query},
    )
    try:
        _, arguments = address.get_dialect()().create_connect_args(address)
        port: int | list[int] = arguments.get("port", 1)
        ports = [port] if isinstance(port, int) else port
    except (SQLAlchemyError, ValueError):
        ports = [0]
    if not all(1 <= each <= _MAX_PORT for each in ports):
        raise DatabaseURLError(
            "The hosts and ports of the PostgreSQL URL don't fit together: "
            "each host needs one port, from 1 to 65535."
        )
    return address


def _connect_arguments(options: dict[str, str]) -> dict[str, Any]:
    """Return what libpq's parameters mean to asyncpg, which can't bind a channel, only use TLS."""
    arguments: dict[str, Any] = {}
    if (tls := _tls(options)) is not None:
        arguments["ssl"] = tls
    if "connect_timeout" in options:
        try:
            seconds = float(options["connect_timeout"])
        except ValueError:
            seconds = math.nan
        if not math.isfinite(seconds):
            raise DatabaseURLError("connect_timeout must be a number of seconds.")
        if seconds > 0:  # to libpq nought means for ever; then the setting's bound stays
            arguments["timeout"] = seconds
    if (session := options.get("target_session_attrs")) is not None:
        if session not in _SESSIONS:
            raise DatabaseURLError(f"target_session_attrs must be one of {', '.join(_SESSIONS)}.")
        arguments["target_session_attrs"] = session
    # The server reads `options` itself, as it does from libpq.
    settings = {name: options[name] for name in ("application_name", "options") if name in options}
    if settings:
        arguments["server_settings"] = settings
    return arguments


def _tls(options: dict[str, str]) -> str | ssl.SSLContext | None:
    mode = options.get("sslmode") or options.get("ssl")
    files = {name: options[name] for name in _SSL_FILES if options.get(name)}
    if mode is None and not files:
        return None
    mode = {"true": "require", "false": "disable"}.get(mode or "prefer", mode or "prefer")
    if files.get("sslrootcert") == "system" and mode != "disable":
        mode = "verify-full"
    if mode not in _SSL_MODES:
        raise DatabaseURLError(f"sslmode must be one of {', '.join(_SSL_MODES)}.")
    if mode.startswith("verify-") or (files and mode != "disable"):
        return _ssl_context(mode, files)
    return mode


def _ssl_context(mode: str, files: dict[str, str]) -> ssl.SSLContext:
    verify = mode.startswith("verify-")
    root = _root_certificate(files.get("sslrootcert"), verify=verify)
    try:
        context = ssl.create_default_context(cafile=root)
        if "sslcert" in files:
            context.load_cert_chain(
                files["sslcert"], files.get("sslkey"), files.get("sslpassword", "")
            )
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "it is no certificate"
        raise DatabaseURLError(f"A certificate of the URL can't be used: {reason}.") from None
    context.check_hostname = mode == "verify-full"
    if not verify and "sslrootcert" not in files:
        context.verify_mode = ssl.CERT_NONE
    return context


def _root_certificate(named: str | None, *, verify: bool) -> str | None:
    """Return the file of trusted roots, or None for the system's."""
    if named is not None:
        return None if named == "system" else named
    usual = Path(os.path.expanduser(_ROOT_CERTIFICATE))  # noqa: PTH111 - never raises
    return str(usual) if verify and usual.is_file() else None
