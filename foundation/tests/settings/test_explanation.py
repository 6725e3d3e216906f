"""What `bedplate settings` shows, and what it never shows."""

from pathlib import Path
from typing import ClassVar

import pytest
from pydantic import Field, SecretStr
from pydantic_settings import SettingsConfigDict

from bedplate.settings import DatabaseSettings, Secret, SettingLine, SettingsError, explain


class NotesSettings(DatabaseSettings):
    """A backend's settings."""

    model_config = SettingsConfigDict(env_prefix="NOTES_")
    shared: ClassVar[frozenset[str]] = DatabaseSettings.shared | {"peer"}

    hash_secret: Secret = Field(SecretStr("default"), description="Key of the HMAC")
    peer: str | None = Field(None, description="Another service")


def _lines() -> dict[str, SettingLine]:
    return {line.variable: line for line in explain(NotesSettings)}


def test_every_setting_has_a_line() -> None:
    """Variable, value, origin and meaning of each."""
    lines = _lines()
    assert len(lines) == len(NotesSettings.model_fields)
    assert lines["NOTES_LOG_LEVEL"] == SettingLine(
        "NOTES_LOG_LEVEL", "info", "default", "Minimum log level"
    )
    assert lines["NOTES_DEBUG"].value == "false"
    assert lines["NOTES_REDIS_URL"].value == "not set"


def test_the_origin_of_each_value_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    """Which of the sources won: the question behind most reports of "my setting is ignored"."""
    Path(".env").write_text("NOTES_DEBUG=true\nLOG_FORMAT=json\nNOTES_LOG_LEVEL=error\n")
    monkeypatch.setenv("LOG_LEVEL", "warning")
    monkeypatch.setenv("NOTES_OTEL_ENABLED", "true")
    monkeypatch.setenv("NOTES_CORS_ORIGINS", "")
    lines = _lines()
    assert lines["NOTES_DEBUG"].origin == ".env"
    assert lines["NOTES_LOG_FORMAT"].origin == ".env, shared"
    assert lines["NOTES_LOG_LEVEL"].origin == "environment, shared"
    assert lines["NOTES_LOG_LEVEL"].value == "warning"
    assert lines["NOTES_OTEL_ENABLED"].origin == "environment"
    assert lines["NOTES_CORS_ORIGINS"].origin == "default"


def test_secrets_are_masked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither they nor their length show."""
    monkeypatch.setenv("NOTES_HASH_SECRET", "gibberish" * 4)
    assert _lines()["NOTES_HASH_SECRET"].value == "***"


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgresql://user:gibberish@host:5432/name", "postgresql://***@host:5432/name"),
        ("postgresql+asyncpg://user:gibberish@host/name", "postgresql+asyncpg://***@host/name"),
        ("postgres://host/name?user=u&password=gibberish", "postgres://host/name"),
        ("sqlite:///data/notes.sqlite3", "sqlite:///data/notes.sqlite3"),
        ("postgresql://user:gibberish/@host/name", "***"),
        ("postgresql://user:gibberish?@host/name", "***"),
        ("postgresql://user:gibberish#@host/name", "***"),
        ("postgresql://user:[gibberish@host/name", "***"),
        ("gibberish", "***"),
        ("https://gibberish.example/token", "***"),
    ],
)
def test_a_database_url_shows_where_and_never_the_password(
    monkeypatch: pytest.MonkeyPatch, url: str, shown: str
) -> None:
    """Passwords with reserved characters that nobody escaped are no exception."""
    monkeypatch.setenv("DATABASE_URL", url)
    line = _lines()["NOTES_DATABASE_URL"]
    assert line.value == shown
    assert line.origin == "environment, shared"


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("redis://:gibberish@host:6379/0", "redis://***@host:6379/0"),
        ("rediss://default:gibberish@host:6379", "rediss://***@host:6379"),
        ("valkey://host", "valkey://host"),
        ("unix:///run/redis.sock?password=gibberish", "unix:///run/redis.sock"),
    ],
)
def test_a_redis_url_shows_where_and_never_the_password(
    monkeypatch: pytest.MonkeyPatch, url: str, shown: str
) -> None:
    """As a database's."""
    monkeypatch.setenv("NOTES_REDIS_URL", url)
    assert _lines()["NOTES_REDIS_URL"].value == shown


def test_a_password_in_an_ordinary_url_is_masked(monkeypatch: pytest.MonkeyPatch) -> None:
    """A text setting isn't declared secret, and may hold one all the same."""
    monkeypatch.setenv("PEER", "https://user:gibberish@peer.example/path")
    assert _lines()["NOTES_PEER"].value == "https://***@peer.example/path"


def test_settings_that_are_refused_are_not_explained(monkeypatch: pytest.MonkeyPatch) -> None:
    """The refusal comes instead."""
    monkeypatch.setenv("NOTES_ENVIRONMENT", "production")
    with pytest.raises(SettingsError, match="NOTES_HASH_SECRET"):
        explain(NotesSettings)
