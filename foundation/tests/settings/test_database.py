"""Settings of a backend that stores."""

import pytest
from pydantic import SecretStr

from bedplate.settings import DatabaseSettings, SettingsError, embedded_database


class NotesSettings(DatabaseSettings, env_prefix="NOTES_"):
    """A backend's settings."""

    database_url: SecretStr = embedded_database("notes")


def test_each_backend_has_its_own_embedded_file() -> None:
    """Backends in one process don't share a file by accident."""
    default = NotesSettings.load().database_url.get_secret_value()
    assert default == "sqlite:///.bedplate/notes.sqlite3"


def test_production_without_a_database_is_refused() -> None:
    """The embedded file would be lost with the container; the refusal names both variables."""
    with pytest.raises(SettingsError) as refused:
        NotesSettings.load(environment="production")
    assert str(refused.value) == ("NOTES_DATABASE_URL (or DATABASE_URL) must be set in production.")


@pytest.mark.parametrize("variable", ["NOTES_DATABASE_URL", "DATABASE_URL"])
def test_either_variable_names_the_database(monkeypatch: pytest.MonkeyPatch, variable: str) -> None:
    """One database serves several backends, or each has its own."""
    monkeypatch.setenv(variable, "postgresql://host/name")
    settings = NotesSettings.load(environment="production")
    assert settings.database_url.get_secret_value() == "postgresql://host/name"


def test_an_empty_database_url_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """A variable that a deployment forgot to fill doesn't count as set."""
    monkeypatch.setenv("DATABASE_URL", "")
    with pytest.raises(SettingsError, match="DATABASE_URL"):
        NotesSettings.load(environment="production")


def test_a_class_without_a_prefix_names_its_variable_once() -> None:
    """`DATABASE_URL (or DATABASE_URL)` would be odd."""
    with pytest.raises(SettingsError, match=r"^DATABASE_URL must be set in production\.$"):
        DatabaseSettings.load(environment="production")


@pytest.mark.parametrize(
    ("environment", "size", "overflow", "migrates"),
    [("production", 10, 20, False), ("development", 3, 5, True), ("test", 3, 5, True)],
)
def test_defaults_of_the_pool_follow_the_environment(
    environment: str, size: int, overflow: int, migrates: bool
) -> None:
    """The documented defaults: 10/20 in production, 3/5 elsewhere."""
    settings = NotesSettings.load(environment=environment, database_url="sqlite:///x")
    assert settings.pool_size == size
    assert settings.max_overflow == overflow
    assert settings.auto_migrate is migrates


def test_what_is_set_comes_before_the_defaults() -> None:
    """Also zero, and also false."""
    settings = NotesSettings.load(
        database_pool_size=1, database_max_overflow=0, database_auto_migrate=False
    )
    assert (settings.pool_size, settings.max_overflow, settings.auto_migrate) == (1, 0, False)


@pytest.mark.parametrize(("request_timeout", "pool_timeout"), [(30.0, 10.0), (3.0, 1.0), (90, 10)])
def test_waiting_for_a_connection_ends_before_the_request(
    request_timeout: float, pool_timeout: float
) -> None:
    """With an exhausted pool the 503 comes before the 504, whatever the request's timeout."""
    settings = NotesSettings.load(request_timeout_seconds=request_timeout)
    assert settings.pool_timeout_seconds == pool_timeout


def test_a_wait_for_a_connection_as_long_as_a_request_is_refused() -> None:
    """Such a wait could only end with a 504; the refusal names both variables."""
    with pytest.raises(SettingsError) as refused:
        NotesSettings.load(database_pool_timeout_seconds=30)
    assert str(refused.value) == (
        "NOTES_DATABASE_POOL_TIMEOUT_SECONDS must be less than NOTES_REQUEST_TIMEOUT_SECONDS, "
        "or the 504 comes before the 503."
    )


@pytest.mark.parametrize(
    "field",
    [
        "database_pool_timeout_seconds",
        "database_connect_timeout_seconds",
        "database_command_timeout_seconds",
    ],
)
@pytest.mark.parametrize("value", ["0", "-1", "nan", "inf", "1e9"])
def test_no_timeout_is_boundless(monkeypatch: pytest.MonkeyPatch, field: str, value: str) -> None:
    """A request that waits for a database gets its answer in bounded time."""
    monkeypatch.setenv(NotesSettings.variable(field), value)
    with pytest.raises(SettingsError, match=NotesSettings.variable(field)):
        NotesSettings.load()
