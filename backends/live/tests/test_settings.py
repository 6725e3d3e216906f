"""What the settings refuse: each in one sentence that names the variable, never the value."""

import subprocess
import sys
from pathlib import Path

import pytest

from bedplate.settings import SettingsError
from live.backend import backend
from live.settings import LiveSettings

SAFE = {
    "ENVIRONMENT": "production",
    "DATABASE_URL": "postgresql://db.example/live",
    "CORS_ORIGINS": "https://live.example",
    "LIVE_TOKEN_SECRET": "0123456789abcdef" * 4,
    "LIVE_JOIN_URL": "https://live.example/join/{code}",
}


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> pytest.MonkeyPatch:
    """Give safe variables of production, and nothing else of this machine."""
    monkeypatch.chdir(tmp_path)
    for name in LiveSettings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
        monkeypatch.delenv(f"LIVE_{name.upper()}", raising=False)
    for name, value in SAFE.items():
        monkeypatch.setenv(name, value)
    return monkeypatch


def test_a_safe_production_starts(environment: pytest.MonkeyPatch) -> None:
    """A secret, a database, origins and the page that codes lead to are all it needs."""
    settings = backend.load_settings()
    assert isinstance(settings, LiveSettings)
    assert settings.production
    assert (settings.idle_hours, settings.retention_days) == (24, None)


@pytest.mark.parametrize(
    ("name", "value", "variable", "why"),
    [
        ("LIVE_TOKEN_SECRET", "", "LIVE_TOKEN_SECRET", "development default"),
        ("LIVE_TOKEN_SECRET", "unsafe4711", "LIVE_TOKEN_SECRET", "shorter than 32"),
        ("DATABASE_URL", "", "LIVE_DATABASE_URL", "must be set in production"),
        ("LIVE_JOIN_URL", "", "LIVE_JOIN_URL", "must be set in production"),
        ("LIVE_JOIN_URL", "https://unsafe4711.example/", "LIVE_JOIN_URL", "{code} once"),
        ("LIVE_JOIN_URL", "https://unsafe4711.example/{code}/}", "LIVE_JOIN_URL", "no other"),
        ("LIVE_JOIN_URL", "https://unsafe4711.example/{code}/{a}", "LIVE_JOIN_URL", "no other"),
        ("LIVE_JOIN_URL", "ftp://unsafe4711/{code}", "LIVE_JOIN_URL", ""),
        ("LIVE_IDLE_HOURS", "0", "LIVE_IDLE_HOURS", "greater than 0"),
        ("LIVE_RETENTION_DAYS", "-1", "LIVE_RETENTION_DAYS", "greater than 0"),
        ("LIVE_FAILED_JOINS_PER_MINUTE", "0", "LIVE_FAILED_JOINS_PER_MINUTE", ""),
        ("LIVE_NEW_SESSIONS_PER_MINUTE", "0", "LIVE_NEW_SESSIONS_PER_MINUTE", ""),
    ],
)
def test_what_is_unsafe_is_refused(
    environment: pytest.MonkeyPatch, name: str, value: str, variable: str, why: str
) -> None:
    """The message names the variable and says why, without the value."""
    if value:
        environment.setenv(name, value)
    else:
        environment.delenv(name)
    with pytest.raises(SettingsError) as error:
        backend.load_settings()
    message = str(error.value)
    assert variable in message
    assert why in message
    assert "unsafe4711" not in message


def test_a_development_start_needs_nothing(environment: pytest.MonkeyPatch) -> None:
    """Without any variable there is a database in a file, and a secret that isn't one."""
    for name in SAFE:
        environment.delenv(name)
    settings = backend.load_settings()
    assert isinstance(settings, LiveSettings)
    assert not settings.production
    assert settings.join_url == "http://localhost:8000/join/{code}"


def test_the_settings_can_be_read(tmp_path: Path) -> None:
    """`bedplate settings live` describes each of them, and shows no secret."""
    command = [str(Path(sys.executable).with_name("bedplate")), "settings", "live"]
    environment = {"LIVE_TOKEN_SECRET": "canary4711" * 7, "LIVE_IDLE_HOURS": "5"}
    run = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    for name in ("TOKEN_SECRET", "JOIN_URL", "IDLE_HOURS", "RETENTION_DAYS",
                 "FAILED_JOINS_PER_MINUTE"):  # fmt: skip
        assert f"LIVE_{name}" in run.stdout
    assert "Hours without a change or anybody there" in " ".join(run.stdout.split())
    assert "canary4711" not in run.stdout
