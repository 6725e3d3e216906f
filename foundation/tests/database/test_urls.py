"""Database URLs as others print them, and those that can't work."""

import contextlib
import ssl
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from sqlalchemy import make_url

from bedplate.database import DatabaseURLError, parse_database_url
from bedplate.testing.postgres import PostgresServer

NEON = "ep-cool-darkness-123456"
PASSWORD = "s3cr3t/pass"
WORKING: tuple[tuple[str, str, dict[str, Any]], ...] = (
    (
        f"postgresql://u:p@{NEON}.eu.aws.neon.tech/d?sslmode=require&channel_binding=require",
        f"postgresql+asyncpg://u:p@{NEON}.eu.aws.neon.tech/d",
        {"ssl": "require"},
    ),
    (
        "postgres://user:p%40ss%2Fword@ec2-1-2-3-4.compute-1.amazonaws.com:5432/d1a2b3",
        "postgresql+asyncpg://user:p%40ss%2Fword@ec2-1-2-3-4.compute-1.amazonaws.com:5432/d1a2b3",
        {},
    ),
    (
        "postgresql://app@/app?host=/var/run/postgresql",
        "postgresql+asyncpg://app@/app?host=%2Fvar%2Frun%2Fpostgresql",
        {},
    ),
    (
        "postgresql:///app?host=/tmp&port=5433&user=me&password=pw",
        "postgresql+asyncpg://me:pw@/app?host=%2Ftmp&port=5433",
        {},
    ),
    (
        "postgresql:///app?host=one,two&port=1,2&target_session_attrs=read-write",
        "postgresql+asyncpg:///app?host=one%2Ctwo&port=1%2C2",
        {"target_session_attrs": "read-write"},
    ),
    (
        "postgresql:///app?host=one:1&host=two:2",
        "postgresql+asyncpg:///app?host=one%3A1&host=two%3A2",
        {},
    ),
    (
        "postgresql://u:p@one:1,two,[::1]:3/app?target_session_attrs=read-write",
        "postgresql+asyncpg://u:p@/app?host=one%2Ctwo%2C%3A%3A1&port=1%2C5432%2C3",
        {"target_session_attrs": "read-write"},
    ),
    ("postgresql://one,two/d", "postgresql+asyncpg:///d?host=one%2Ctwo&port=5432%2C5432", {}),
    (
        "postgresql://u@h/d?options=-c%20search_path%3Da-c%2Cb&application_name=reports",
        "postgresql+asyncpg://u@h/d",
        {"server_settings": {"application_name": "reports", "options": "-c search_path=a-c,b"}},
    ),
    (
        "postgresql://u@h/d?options=endpoint%3Dep-x",
        "postgresql+asyncpg://u@h/d",
        {"server_settings": {"options": "endpoint=ep-x"}},
    ),
    ("postgresql://u@h/d?connect_timeout=10", "postgresql+asyncpg://u@h/d", {"timeout": 10.0}),
    ("postgresql://u@h/d?connect_timeout=0", "postgresql+asyncpg://u@h/d", {}),
    ("postgresql+asyncpg://u@h/d?ssl=true", "postgresql+asyncpg://u@h/d", {"ssl": "require"}),
    (
        "postgresql+psycopg://u@h/d?sslmode=disable&sslrootcert=/none",
        "postgresql+asyncpg://u@h/d",
        {"ssl": "disable"},
    ),
    ("postgresql://u@[::1]:5432/d", "postgresql+asyncpg://u@[::1]:5432/d", {}),
    ("sqlite://", "sqlite+aiosqlite://", {}),
    ("sqlite:///tasks.sqlite3", "sqlite+aiosqlite:///tasks.sqlite3", {}),
    ("sqlite+aiosqlite:////var/lib/tasks.db", "sqlite+aiosqlite:////var/lib/tasks.db", {}),
)
REFUSED = (
    f"mysql://hunter:{PASSWORD}@host/{PASSWORD}",
    f"{PASSWORD}://host/name",
    PASSWORD,
    "",
    f"postgresql://hunter:{PASSWORD}@host",
    f"postgresql://hunter:{PASSWORD}@host/",
    f"postgresql://hunter:{PASSWORD}@host:port/name",
    f"postgresql://hunter:{PASSWORD}@host:65536/name",
    f"postgresql://hunter:{PASSWORD}@one:1,two:2/name",
    f"postgresql://hunter:{PASSWORD}@/name?host=one,two",
    f"postgresql://hunter:{PASSWORD}@/name?host=one,two&port=1,x",
    f"postgresql://hunter:{PASSWORD}@host/name?{PASSWORD}=1",
    f"postgresql://hunter:x@{PASSWORD}@host/name?pgbouncer=true",
    f"postgresql://hunter:{PASSWORD}@host/name?sslmode={PASSWORD}",
    f"postgresql://hunter:{PASSWORD}@host/name?sslmode=verify-full&sslrootcert=/{PASSWORD}",
    f"postgresql://hunter:{PASSWORD}@host/name?sslcert=/{PASSWORD}",
    f"postgresql://hunter:{PASSWORD}@host/name?connect_timeout={PASSWORD}",
    f"postgresql://hunter:{PASSWORD}@host/name?connect_timeout=nan",
    f"postgresql://hunter:{PASSWORD}@host/name?target_session_attrs={PASSWORD}",
    f"postgresql://hunter:{PASSWORD}@host/na\0me",
    f"sqlite://{PASSWORD}",
    f"sqlite://hunter:{PASSWORD}@host/name",
    f"sqlite:///{PASSWORD}?mode=ro",
)


@pytest.mark.parametrize(("text", "url", "arguments"), WORKING)
def test_what_others_print_works(text: str, url: str, arguments: dict[str, Any]) -> None:
    """Neon's, Heroku's and libpq's URLs become what SQLAlchemy and asyncpg take."""
    parsed = parse_database_url(text)
    assert parsed.url.render_as_string(hide_password=False) == url
    assert parsed.connect_args == arguments
    assert parsed.sqlite is text.startswith("sqlite")
    parsed.url.get_dialect()().create_connect_args(parsed.url)


@pytest.mark.parametrize("text", REFUSED)
def test_what_cannot_work_is_one_sentence(text: str) -> None:
    """The error is one sentence, and says nothing of what the URL holds."""
    with pytest.raises(DatabaseURLError) as refusal:
        parse_database_url(text)
    sentence = str(refusal.value)
    assert sentence.endswith(".")
    assert ". " not in sentence
    for secret in (PASSWORD, "s3cr3t", "hunter", "one,two"):
        assert secret not in sentence
    assert refusal.value.__cause__ is None
    assert refusal.value.__suppress_context__ or refusal.value.__context__ is None


@pytest.mark.parametrize(
    ("text", "pooler"),
    [
        (f"postgresql://u:p@{NEON}-pooler.eu-central-1.aws.neon.tech/d?sslmode=require", False),
        ("postgresql://u:p@aws-0-eu-central-1.pooler.supabase.com:6543/d", False),
        ("postgresql://u:p@pgbouncer/d", True),
    ],
)
def test_a_pooler_switches_prepared_statements_off(text: str, pooler: bool) -> None:
    """By its host name or by the setting, with names that two clients never share."""
    parsed = parse_database_url(text, pooler=pooler)
    assert parsed.connect_args["statement_cache_size"] == 0
    assert parsed.connect_args["prepared_statement_cache_size"] == 0
    name = parsed.connect_args["prepared_statement_name_func"]
    assert name() != name()


@pytest.mark.parametrize(
    ("query", "checks_host", "verifies"),
    [
        ("sslmode=verify-full", True, True),
        ("sslmode=verify-ca", False, True),
        ("sslrootcert=system", True, True),
        ("sslmode=require&sslrootcert={roots}", False, True),
        ("sslmode=verify-full&sslrootcert={roots}", True, True),
    ],
)
def test_certificates_are_checked_as_libpq_does(
    query: str, checks_host: bool, verifies: bool
) -> None:
    """verify-full checks the name too; require checks the chain only when roots are given."""
    roots = ssl.get_default_verify_paths().cafile or ssl.get_default_verify_paths().openssl_cafile
    if "{roots}" in query and not Path(roots).is_file():
        pytest.skip("this machine has no file of roots")
    parsed = parse_database_url(f"postgresql://u@h/d?{query.format(roots=roots)}")
    context = parsed.connect_args["ssl"]
    assert isinstance(context, ssl.SSLContext)
    assert context.check_hostname is checks_host
    assert (context.verify_mode is ssl.CERT_REQUIRED) is verifies


async def test_options_reach_the_server(postgres_server: PostgresServer) -> None:
    """The server reads `options` itself, values with -c in them too."""
    parsed = parse_database_url(
        f"{postgres_server.url}?options=-c%20statement_timeout%3D1234%20-c%20search_path%3Da-c%2Cb"
    )
    _, arguments = parsed.url.get_dialect()().create_connect_args(parsed.url)
    connection = await asyncpg.connect(**arguments, **parsed.connect_args)
    try:
        assert await connection.fetchval("SHOW statement_timeout") == "1234ms"
        assert await connection.fetchval("SHOW search_path") == "a-c,b"
    finally:
        await connection.close()


async def test_the_first_host_that_answers_is_taken(postgres_server: PostgresServer) -> None:
    """Of libpq's several hosts before the name."""
    url = make_url(postgres_server.url)
    text = f"postgresql://{url.username}@127.0.0.1:1,127.0.0.1:{url.port}/{url.database}"
    parsed = parse_database_url(f"{text}?target_session_attrs=read-write")
    arguments = parsed.url.get_dialect()().create_connect_args(parsed.url)[1]
    connection = await asyncpg.connect(**arguments, **parsed.connect_args)
    assert await connection.fetchval("SELECT 1") == 1
    await connection.close()


async def test_a_unix_socket_works(postgres_server: PostgresServer) -> None:
    """A URL with `host=/folder` connects without TCP."""
    parsed = parse_database_url(postgres_server.socket_url)
    _, arguments = parsed.url.get_dialect()().create_connect_args(parsed.url)
    connection = await asyncpg.connect(**arguments, **parsed.connect_args)
    try:
        assert await connection.fetchval("SELECT inet_client_addr() IS NULL")
    finally:
        await connection.close()


def test_parsing_touches_nothing(tmp_path: Path) -> None:
    """The folder of a SQLite file is made when an engine is, not before."""
    parse_database_url(f"sqlite:///{tmp_path}/new/tasks.db")
    assert not list(tmp_path.iterdir())


SCHEMES = ("postgresql://", "sqlite:///", "sqlite://")
NAMES = ("sslmode=", "options=", "host=", "port=", "connect_timeout=", "sslcert=", "sslrootcert=")
MARKS = (*"@:/?&=%[],éh1", "%00", "\0", "\ud800", "u:p@", "1e999", "system")
PIECES = st.sampled_from(SCHEMES + NAMES + MARKS)


@given(st.one_of(st.text(), st.lists(PIECES, max_size=12).map("".join)), st.booleans())
@example("postgresql://u@h/d?sslcert=%00", False)
@example("postgresql://u@h/d?host=[", False)
@example("postgresql://[/d", False)
def test_nothing_else_is_ever_raised(text: str, pooler: bool) -> None:
    """Whatever the text, parsing returns or raises `DatabaseURLError`."""
    with contextlib.suppress(DatabaseURLError):
        parse_database_url(text, pooler=pooler)
