"""What the settings of the to-do API refuse, each in one sentence that names the variable."""

import pytest

from bedplate.settings import SettingsError
from tasks.backend import backend
from tasks.settings import TasksSettings

PRODUCTION = {
    "TASKS_ENVIRONMENT": "production",
    "TASKS_DATABASE_URL": "postgresql://app@db.example.com/tasks",
    "TASKS_CORS_ORIGINS": "https://app.example.com",
    "TASKS_SESSION_HASH_SECRET": "f" * 64,
}


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Give an environment in which production would start."""
    for name in ("DATABASE_URL", "CORS_ORIGINS", "SESSION_HASH_SECRET", "REDIS_URL"):
        monkeypatch.delenv(name, raising=False)
    for name, value in PRODUCTION.items():
        monkeypatch.setenv(name, value)
    return monkeypatch


def test_production_starts_when_all_is_set(environment: pytest.MonkeyPatch) -> None:
    """The environment that the other tests take something from is complete."""
    settings = backend.load_settings()
    assert isinstance(settings, TasksSettings)
    assert settings.cors_origins == ["https://app.example.com"]


@pytest.mark.parametrize("missing", ["DATABASE_URL", "CORS_ORIGINS", "SESSION_HASH_SECRET"])
def test_production_needs(environment: pytest.MonkeyPatch, missing: str) -> None:
    """Production refuses to start without each of these, and names it."""
    environment.delenv(f"TASKS_{missing}")
    with pytest.raises(SettingsError, match=missing) as refused:
        backend.load_settings()
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("missing", ["DATABASE_URL", "CORS_ORIGINS", "SESSION_HASH_SECRET"])
def test_shared_names_do(environment: pytest.MonkeyPatch, missing: str) -> None:
    """What several backends share may be set without the prefix."""
    value = PRODUCTION[f"TASKS_{missing}"]
    environment.delenv(f"TASKS_{missing}")
    environment.setenv(missing, value)
    backend.load_settings()


def test_a_short_secret_is_refused(environment: pytest.MonkeyPatch) -> None:
    """A secret of less than 32 bytes is refused in production, and not shown."""
    environment.setenv("TASKS_SESSION_HASH_SECRET", "s3cret-and-short")
    with pytest.raises(SettingsError, match="TASKS_SESSION_HASH_SECRET") as refused:
        backend.load_settings()
    assert "s3cret" not in str(refused.value)


@pytest.mark.parametrize(
    ("sessions", "needed"),
    [("better-auth", "BETTER_AUTH_SECRET"), ("jwt", "BETTER_AUTH_URL")],
)
def test_each_kind_of_session_needs_its_own(
    environment: pytest.MonkeyPatch, sessions: str, needed: str
) -> None:
    """A kind of session without what proves it is refused at start, in any environment."""
    environment.setenv("TASKS_SESSIONS", sessions)
    with pytest.raises(SettingsError, match=needed):
        backend.load_settings()


def test_any_origin_with_credentials_is_refused(environment: pytest.MonkeyPatch) -> None:
    """CORS for everybody, with credentials, is refused."""
    environment.setenv("TASKS_CORS_ORIGINS", "*")
    with pytest.raises(SettingsError, match="TASKS_CORS_ORIGINS"):
        backend.load_settings()
