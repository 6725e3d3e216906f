"""What the settings refuse: each in one sentence that names the variable, never the value."""

from pathlib import Path

import pytest

from bedplate.settings import SettingsError
from tasks.backend import backend
from tasks.settings import TasksSettings

SAFE = {
    "ENVIRONMENT": "production",
    "DATABASE_URL": "postgresql://db.example/tasks",
    "CORS_ORIGINS": "https://todo.example",
    "SESSION_HASH_SECRET": "0123456789abcdef" * 4,
}
BETTER_AUTH = {"TASKS_SESSIONS": "better-auth", "BETTER_AUTH_SECRET": "0123456789abcdef" * 2}
JWT = {"TASKS_SESSIONS": "jwt", "BETTER_AUTH_URL": "https://auth.example"}
INTROSPECTION = {"TASKS_SESSIONS": "introspection", "BETTER_AUTH_URL": "https://auth.example"}


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> pytest.MonkeyPatch:
    """Give safe variables of production, and nothing else of this machine."""
    monkeypatch.chdir(tmp_path)
    for name in TasksSettings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
        monkeypatch.delenv(f"TASKS_{name.upper()}", raising=False)
    for name, value in SAFE.items():
        monkeypatch.setenv(name, value)
    return monkeypatch


def change(environment: pytest.MonkeyPatch, changes: dict[str, str]) -> None:
    """Set some variables; an empty value takes one away."""
    for name, value in changes.items():
        environment.setenv(name, value)


@pytest.mark.parametrize(
    "changes",
    [{}, BETTER_AUTH, JWT, INTROSPECTION],
    ids=["hashed", "better-auth", "jwt", "introspection"],
)
def test_a_safe_production_starts(environment: pytest.MonkeyPatch, changes: dict[str, str]) -> None:
    """Each kind of session needs its own secret or address, and nothing more."""
    change(environment, changes)
    if changes:
        environment.delenv("SESSION_HASH_SECRET")
    settings = backend.load_settings()
    assert isinstance(settings, TasksSettings)
    assert settings.production
    assert settings.sessions == changes.get("TASKS_SESSIONS", "hashed")


@pytest.mark.parametrize(
    ("changes", "variable", "why"),
    [
        ({"CORS_ORIGINS": ""}, "TASKS_CORS_ORIGINS", "must name the origins"),
        ({"CORS_ORIGINS": "*"}, "TASKS_CORS_ORIGINS", "can't be * while credentials"),
        ({"DATABASE_URL": ""}, "TASKS_DATABASE_URL", "must be set in production"),
        ({"SESSION_HASH_SECRET": ""}, "TASKS_SESSION_HASH_SECRET", "development default"),
        ({"SESSION_HASH_SECRET": "unsafe4711"}, "TASKS_SESSION_HASH_SECRET", "shorter than 32"),
        ({"TASKS_DEBUG": "true"}, "TASKS_DEBUG", "must be off"),
        ({"TASKS_SESSIONS": "unsafe4711"}, "TASKS_SESSIONS", "should be 'hashed', 'better-auth'"),
        ({"TASKS_SESSIONS": "better-auth"}, "TASKS_BETTER_AUTH_SECRET", "must be set, since"),
        (
            {**BETTER_AUTH, "BETTER_AUTH_SECRET": "unsafe4711"},
            "TASKS_BETTER_AUTH_SECRET",
            "shorter than 32",
        ),
        (
            {"TASKS_SESSIONS": "better-auth"},
            "TASKS_BETTER_AUTH_SECRET",
            "of BETTER_AUTH_SECRETS, it is the first entry's value",
        ),
        (
            {**BETTER_AUTH, "BETTER_AUTH_SECRET": "better-auth-secret-12345678901234567890"},
            "TASKS_BETTER_AUTH_SECRET",
            "is better-auth's default",
        ),
        (
            {**BETTER_AUTH, "TASKS_BETTER_AUTH_BEARER": "unsafe4711"},
            "TASKS_BETTER_AUTH_BEARER",
            "should be 'raw', 'signed' or 'off'",
        ),
        (
            {**BETTER_AUTH, "TASKS_BETTER_AUTH_COOKIE": "unsafe4711; a"},
            "TASKS_BETTER_AUTH_COOKIE",
            "should match pattern",
        ),
        ({"TASKS_SESSIONS": "jwt"}, "TASKS_BETTER_AUTH_URL", "must be set, since"),
        ({"TASKS_SESSIONS": "introspection"}, "TASKS_BETTER_AUTH_URL", "must be set, since"),
        ({**JWT, "BETTER_AUTH_URL": "unsafe4711"}, "TASKS_BETTER_AUTH_URL", "should look like"),
        ({**JWT, "TASKS_JWKS_URL": "ftp://unsafe4711"}, "TASKS_JWKS_URL", "should look like"),
        ({**JWT, "TASKS_JWT_ALGORITHMS": "none"}, "TASKS_JWT_ALGORITHMS", "one of EdDSA"),
        ({**JWT, "TASKS_JWT_ALGORITHMS": "EdDSA,HS256"}, "TASKS_JWT_ALGORITHMS", "one of EdDSA"),
        ({**JWT, "TASKS_JWT_ALGORITHMS": ","}, "TASKS_JWT_ALGORITHMS", "one of EdDSA"),
    ],
)
def test_an_unsafe_production_does_not_start(
    environment: pytest.MonkeyPatch, changes: dict[str, str], variable: str, why: str
) -> None:
    """The refusal is one line that names the variable and the reason, not the value."""
    change(environment, changes)
    with pytest.raises(SettingsError) as refusal:
        backend.load_settings()
    sentence = str(refusal.value)
    assert sentence.startswith(variable)
    assert why in sentence
    assert "\n" not in sentence
    assert "unsafe4711" not in sentence


@pytest.mark.parametrize(
    ("changes", "secure"),
    [
        ({}, True),
        ({"BETTER_AUTH_URL": "http://auth.internal"}, False),
        ({"BETTER_AUTH_URL": "https://auth.example"}, True),
        ({"BETTER_AUTH_URL": "http://a", "TASKS_BETTER_AUTH_SECURE_COOKIES": "true"}, True),
        ({"ENVIRONMENT": "development"}, None),
        ({"ENVIRONMENT": "development", "BETTER_AUTH_URL": "https://auth.example"}, True),
    ],
)
def test_the_prefix_of_cookies_is_decided_as_better_auth_does(
    environment: pytest.MonkeyPatch, changes: dict[str, str], secure: bool | None
) -> None:
    """Behind https a cookie that any page of the domain could set doesn't count."""
    change(environment, BETTER_AUTH | changes)
    assert TasksSettings.load().secure_cookies is secure


@pytest.mark.parametrize(
    ("url", "origin", "base"),
    [
        ("https://auth.example", "https://auth.example", "https://auth.example/api/auth"),
        ("https://x.example/auth", "https://x.example", "https://x.example/auth"),
        ("http://x:3000/api/auth", "http://x:3000", "http://x:3000/api/auth"),
    ],
)
def test_the_address_of_the_auth_server_is_read_as_better_auth_does(
    environment: pytest.MonkeyPatch, url: str, origin: str, base: str
) -> None:
    """A path in it is the base path of its routes; issuer and audience are the origin."""
    change(environment, JWT | {"BETTER_AUTH_URL": url})
    settings = TasksSettings.load()
    assert (settings.auth_origin, settings.auth_base_url) == (origin, base)


def test_development_needs_nothing(environment: pytest.MonkeyPatch) -> None:
    """Without any variable the API runs on SQLite, with hashed sessions, for localhost:3000."""
    for name in SAFE:
        environment.delenv(name)
    settings = backend.load_settings()
    assert isinstance(settings, TasksSettings)
    assert settings.database_url.get_secret_value() == "sqlite:///.bedplate/tasks.sqlite3"
    assert settings.sessions == "hashed"
    assert backend.cors.origins(settings) == ["http://localhost:3000"]


def test_its_own_variable_comes_before_the_shared_one(environment: pytest.MonkeyPatch) -> None:
    """TASKS_DATABASE_URL wins over DATABASE_URL, which other backends may share."""
    change(environment, {"TASKS_DATABASE_URL": "postgresql://own.example/tasks"})
    assert "own.example" in TasksSettings.load().database_url.get_secret_value()
