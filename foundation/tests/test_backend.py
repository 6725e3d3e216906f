"""What a backend declares about browsers, and what is refused of it."""

import pytest
from pydantic_settings import SettingsConfigDict

from bedplate.backend import Backend, CORSPolicy, load_settings_of
from bedplate.settings import Settings, SettingsError


class NotesSettings(Settings):
    """A backend's settings."""

    model_config = SettingsConfigDict(env_prefix="NOTES_", env_file=None)


def _backend(policy: CORSPolicy) -> Backend:
    return Backend(name="notes", title="Notes", settings=NotesSettings, routers=[], cors=policy)


def _refusal(policy: CORSPolicy, **values: object) -> str:
    with pytest.raises(SettingsError) as refused:
        _backend(policy).load_settings(**values)
    return str(refused.value)


def test_any_origin_with_credentials_is_refused() -> None:
    """In every environment: a browser would send cookies to whoever asks."""
    for environment in ("development", "production"):
        refusal = _refusal(CORSPolicy(), environment=environment, cors_origins="*")
        assert refusal.startswith("NOTES_CORS_ORIGINS")
        assert refusal.endswith(".")
    mixed = "https://a.example,*"
    assert "NOTES_CORS_ORIGINS" in _refusal(CORSPolicy(), cors_origins=mixed)


def test_any_origin_without_credentials_is_fine() -> None:
    """A public API."""
    policy = CORSPolicy(allow_credentials=False)
    settings = _backend(policy).load_settings(environment="production", cors_origins="*")
    assert policy.origins(settings) == ["*"]


def test_production_names_its_origins_where_the_policy_needs_them() -> None:
    """The refusal names both variables, and gives an example."""
    refusal = _refusal(CORSPolicy(required=True), environment="production")
    assert refusal.startswith("NOTES_CORS_ORIGINS (or CORS_ORIGINS)")
    assert "https://" in refusal


def test_one_refusal_names_every_missing_setting() -> None:
    """Origins too, which are the backend's to require, not only what the settings class knows."""
    refusal = _refusal(CORSPolicy(required=True), environment="production", debug=True)
    assert refusal == (
        "NOTES_DEBUG must be off in production. "
        "NOTES_CORS_ORIGINS (or CORS_ORIGINS) must name the origins of the front end in "
        "production, such as https://app.example.com."
    )


def test_one_refusal_names_what_every_backend_lacks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Several run in one process, and each may miss something."""

    class ListsSettings(Settings):
        model_config = SettingsConfigDict(env_prefix="LISTS_", env_file=None)

    monkeypatch.setenv("ENVIRONMENT", "production")
    monkeypatch.setenv("NOTES_DEBUG", "true")
    notes = _backend(CORSPolicy())
    lists = Backend(
        name="lists",
        title="Lists",
        settings=ListsSettings,
        routers=[],
        cors=CORSPolicy(required=True),
    )
    with pytest.raises(SettingsError, match=r"^NOTES_DEBUG must .+\. LISTS_CORS_ORIGINS \("):
        load_settings_of([notes, lists])
    monkeypatch.setenv("NOTES_DEBUG", "false")
    assert load_settings_of([notes]).keys() == {"notes"}


def test_production_without_a_front_end_has_no_origins() -> None:
    """Those of development never get there."""
    policy = CORSPolicy()
    settings = _backend(policy).load_settings(environment="production")
    assert policy.origins(settings) == []


def test_development_knows_the_usual_front_end() -> None:
    """Unless the settings name one."""
    policy = CORSPolicy(required=True)
    assert policy.origins(NotesSettings.load()) == ["http://localhost:3000"]
    named = NotesSettings.load(cors_origins="http://localhost:5173")
    assert policy.origins(named) == ["http://localhost:5173"]
