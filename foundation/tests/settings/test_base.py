"""Settings as a process reads them, from real variables and files."""

import os
from pathlib import Path
from typing import Annotated, ClassVar
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field, SecretStr, field_validator
from pydantic_settings import SettingsConfigDict

from bedplate.settings import CommaSeparated, Environment, Secret, Settings, SettingsError

LONG = "s" * 32


class NotesSettings(Settings):
    """A backend's settings."""

    model_config = SettingsConfigDict(env_prefix="NOTES_")
    shared: ClassVar[frozenset[str]] = Settings.shared | {"mail_key"}

    hash_secret: Secret = Field(SecretStr("development-only"), description="Key of the HMAC")
    mail_key: Secret | None = Field(None, description="Signs links")
    tags: CommaSeparated = Field(default_factory=list, description="Labels")
    weights: dict[str, int] = Field(default_factory=dict, description="JSON")
    tenant: UUID | None = Field(None, description="Owner")


def _refusal(**values: object) -> str:
    with pytest.raises(SettingsError) as refused:
        NotesSettings.load(**values)
    return str(refused.value)


def test_the_defaults_need_no_variable_at_all() -> None:
    """A developer starts without setting anything."""
    settings = NotesSettings.load()
    assert settings.environment is Environment.DEVELOPMENT
    assert settings.cors_origins == []
    assert not settings.production


def test_every_setting_says_what_it_means() -> None:
    """`bedplate settings` has a sentence for each."""
    assert all(field.description for field in NotesSettings.model_fields.values())


def test_everything_missing_in_production_is_reported_at_once() -> None:
    """Whoever sets up production learns of all that is missing by one start, not by several."""
    refused = _refusal(environment="production", debug=True, mail_key="short")
    assert refused == (
        "NOTES_DEBUG must be off in production. "
        "NOTES_HASH_SECRET still has its development default: "
        "set a random secret of 32 bytes or more in production. "
        "NOTES_MAIL_KEY (or MAIL_KEY) is shorter than 32 bytes: set a longer random secret."
    )


def test_settings_cannot_be_changed_later() -> None:
    """What was checked at load is what runs."""
    with pytest.raises(ValueError, match="frozen"):
        NotesSettings.load().debug = True  # type: ignore[misc]


def test_a_variable_with_the_prefix_comes_before_the_shared_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """One backend may differ from the settings of all."""
    monkeypatch.setenv("LOG_LEVEL", "warning")
    assert NotesSettings.load().log_level == "warning"
    monkeypatch.setenv("NOTES_LOG_LEVEL", "error")
    assert NotesSettings.load().log_level == "error"


def test_only_shared_fields_are_read_without_the_prefix(monkeypatch: pytest.MonkeyPatch) -> None:
    """`DEBUG=1` of another program doesn't switch a backend's debugging on."""
    monkeypatch.setenv("DEBUG", "true")
    monkeypatch.setenv("HASH_SECRET", LONG)
    Path(".env").write_text("TAGS=a,b\nDEBUG=true\n", encoding="utf-8")
    settings = NotesSettings.load()
    assert not settings.debug
    assert settings.tags == []
    assert settings.hash_secret.get_secret_value() == "development-only"


def test_names_of_variables_may_be_lower_case(monkeypatch: pytest.MonkeyPatch) -> None:
    """Case doesn't matter, as everywhere in pydantic-settings."""
    monkeypatch.setenv("notes_log_level", "error")
    assert NotesSettings.load().log_level == "error"


def test_the_environment_comes_before_the_env_file() -> None:
    """A `.env` that was left in an image doesn't overrule the deployment, shared or not."""
    Path(".env").write_text("NOTES_LOG_LEVEL=debug\nLOG_FORMAT=pretty\n", encoding="utf-8")
    settings = NotesSettings.load()
    assert (settings.log_level, settings.log_format) == ("debug", "pretty")
    os.environ["LOG_LEVEL"] = "error"
    os.environ["NOTES_LOG_FORMAT"] = "json"
    try:
        settings = NotesSettings.load()
    finally:
        del os.environ["LOG_LEVEL"], os.environ["NOTES_LOG_FORMAT"]
    assert (settings.log_level, settings.log_format) == ("error", "json")


def test_what_a_program_passes_comes_before_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests and command-line options have the last word."""
    monkeypatch.setenv("NOTES_LOG_LEVEL", "error")
    assert NotesSettings.load(log_level="debug").log_level == "debug"


def test_a_program_may_leave_the_env_file_out() -> None:
    """`_env_file=None` holds for the shared variables too."""
    Path(".env").write_text("NOTES_LOG_LEVEL=debug\nLOG_FORMAT=pretty\n", encoding="utf-8")
    settings = NotesSettings.load(_env_file=None)
    assert (settings.log_level, settings.log_format) == ("info", "auto")


def test_an_empty_variable_is_none_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    """`NOTES_REDIS_URL=` in a compose file means: not set; the shared one counts then."""
    monkeypatch.setenv("NOTES_REDIS_URL", "")
    assert NotesSettings.load().redis_url is None
    monkeypatch.setenv("REDIS_URL", "redis://shared")
    assert NotesSettings.load().redis_url == SecretStr("redis://shared")


def test_white_space_around_a_value_is_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    """A secret of Kubernetes often ends with a line feed, which a file's value loses too."""
    monkeypatch.setenv("NOTES_REDIS_URL", " redis://cache:6379/0\r\n")
    monkeypatch.setenv("NOTES_HASH_SECRET", f"{LONG}\n")
    settings = NotesSettings.load()
    assert settings.redis_url == SecretStr("redis://cache:6379/0")
    assert settings.hash_secret.get_secret_value() == LONG


@pytest.mark.parametrize(
    ("variable", "value", "says"),
    [
        ("NOTES_LOG_LEVEL", "gibberish", "NOTES_LOG_LEVEL (or LOG_LEVEL): Input should be"),
        ("LOG_LEVEL", "gibberish", "NOTES_LOG_LEVEL (or LOG_LEVEL): Input should be"),
        ("NOTES_ENVIRONMENT", "gibberish", "NOTES_ENVIRONMENT (or ENVIRONMENT): Input should be"),
        ("NOTES_DEBUG", "gibberish", "NOTES_DEBUG: Input should be a valid boolean"),
        (
            "NOTES_REQUEST_TIMEOUT_SECONDS",
            "gibberish",
            "NOTES_REQUEST_TIMEOUT_SECONDS: Input should be a valid",
        ),
        ("NOTES_REQUEST_TIMEOUT_SECONDS", "nan", "NOTES_REQUEST_TIMEOUT_SECONDS: Input should be"),
        (
            "NOTES_REQUEST_TIMEOUT_SECONDS",
            "inf",
            "NOTES_REQUEST_TIMEOUT_SECONDS: Input should be less than",
        ),
        ("NOTES_MAX_BODY_BYTES", "-1", "NOTES_MAX_BODY_BYTES: Input should be greater than"),
        ("NOTES_TENANT", "gibberish", "NOTES_TENANT: Input should be a valid UUID"),
        ("NOTES_WEIGHTS", "gibberish", "NOTES_WEIGHTS can't be read as JSON"),
        ("NOTES_REDIS_URL", "gibberish", "NOTES_REDIS_URL (or REDIS_URL): It should look like"),
        ("NOTES_REDIS_URL", "http://gibberish", "NOTES_REDIS_URL (or REDIS_URL): It should look"),
        *(
            ("NOTES_REDIS_URL", url, f"NOTES_REDIS_URL (or REDIS_URL): {why}")
            for url, why in (
                ("redis://app:gibberish#x@127.0.0.1:6379/0", "Host, port or database can't be"),
                ("redis://app:gibberish/x@127.0.0.1:6379/0", "Host, port or database can't be"),
                ("redis://app:gibberish@127.0.0.1:6379:0", "Host, port or database can't be"),
                ("redis://app:gibberish@127.0.0.1:6379/x", "Host, port or database can't be"),
                ("redis://app:gibberish@127.0.0.1:70000", "Host, port or database can't be"),
                ("unix://", "It should look like redis://host:6379/0"),
                ("rediss://gibberish?ssl_cert_reqs=CERT_NONE", "Its option ssl_cert_reqs should"),
                ("redis://gibberish?ssl_cert_reqs=none", "Its option ssl_cert_reqs needs rediss"),
                ("redis://gibberish?bogus=1", "It has an unknown option; these can be used: db,"),
            )
        ),
        ("NOTES_TRUSTED_PROXIES", "10.0.0.1,gibberish", "NOTES_TRUSTED_PROXIES (or TRUSTED_PROX"),
        ("NOTES_CORS_ORIGINS", "gibberish.example", "NOTES_CORS_ORIGINS (or CORS_ORIGINS): An or"),
        ("NOTES_CORS_ORIGINS", "https://gibberish.example/", "NOTES_CORS_ORIGINS (or CORS_ORIGIN"),
        ("NOTES_CORS_ORIGINS", "https://*.gibberish.example", "NOTES_CORS_ORIGINS (or CORS_ORIGI"),
        ("NOTES_CORS_ORIGINS", '["https://gibberish.example"]', "NOTES_CORS_ORIGINS (or CORS_OR"),
    ],
)
def test_a_refusal_names_the_variable_and_not_the_value(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str, says: str
) -> None:
    """One sentence, and nothing of what may be a secret in the wrong place."""
    monkeypatch.setenv(variable, value)
    refusal = _refusal()
    assert refusal.startswith(says)
    assert refusal.endswith(".")
    assert "gibberish" not in refusal
    assert "\n" not in refusal


def test_every_refusal_is_reported_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody mends one variable only to hear of the next."""
    monkeypatch.setenv("NOTES_LOG_LEVEL", "gibberish")
    monkeypatch.setenv("NOTES_MAX_BODY_BYTES", "gibberish")
    refusal = _refusal()
    assert "NOTES_LOG_LEVEL" in refusal
    assert "NOTES_MAX_BODY_BYTES" in refusal


def test_a_validators_own_words_do_not_bring_the_value_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Also when a backend's author quotes it."""

    class Careless(NotesSettings):
        colour: str = Field("red", description="Of the notes")

        @field_validator("colour")
        @classmethod
        def _quote(cls, colour: str) -> str:
            raise ValueError(f"there is no colour {colour.upper()}")

    monkeypatch.setenv("NOTES_COLOUR", "gibberish")
    with pytest.raises(SettingsError) as refused:
        Careless.load()
    assert str(refused.value) == "NOTES_COLOUR: Input can't be accepted."


def test_debugging_is_refused_in_production() -> None:
    """A debug switch that was left on doesn't get out."""
    refusal = _refusal(environment="production", hash_secret=LONG, debug=True)
    assert refusal == "NOTES_DEBUG must be off in production."


def test_a_default_secret_is_refused_in_production() -> None:
    """Not setting it and setting the published default are the same."""
    assert "NOTES_HASH_SECRET still has its development default" in _refusal(
        environment="production"
    )
    assert "NOTES_HASH_SECRET still has its development default" in _refusal(
        environment="production", hash_secret="development-only"
    )


def test_a_secret_is_one_by_whatever_alias() -> None:
    """A weak one is refused, however deep in its type `Secret` is."""
    optional_secret = Annotated[Secret | None, Field(description="Signs links")]

    class MailSettings(Settings):
        mail_key: optional_secret | None = None

    with pytest.raises(SettingsError, match="MAIL_KEY is shorter than 32 bytes"):
        MailSettings.load(environment="production", mail_key="short")


@pytest.mark.parametrize("field", ["hash_secret", "mail_key", "status_token"])
def test_a_short_secret_is_refused_in_production(field: str) -> None:
    """31 bytes are one too few, also for a secret that may be left out; 32 will do."""
    given_secrets = {"hash_secret": LONG, field: "gibberish".ljust(31, "x")}
    refusal = _refusal(environment="production", **given_secrets)
    assert NotesSettings.variables(field) in refusal
    assert "shorter than 32 bytes" in refusal
    assert "gibberish" not in refusal
    NotesSettings.load(environment="production", **{"hash_secret": LONG, field: LONG})


def test_the_length_of_a_secret_counts_in_bytes() -> None:
    """16 characters of two bytes each make 32."""
    settings = NotesSettings.load(environment="production", hash_secret="é" * 16)
    assert settings.production


def test_a_secret_may_be_bytes_that_are_no_text(monkeypatch: pytest.MonkeyPatch) -> None:
    """Python hands such a variable over with lone surrogates; that is no crash."""
    monkeypatch.setenv("NOTES_ENVIRONMENT", "production")
    monkeypatch.setenv("NOTES_HASH_SECRET", os.fsdecode(b"\xff" * 32))
    assert NotesSettings.load().production


def test_secrets_do_not_show_in_the_settings_text() -> None:
    """A log line or a traceback with the settings in it is harmless."""
    settings = NotesSettings.load(hash_secret=LONG, redis_url="redis://:gibberish@host")
    assert LONG not in repr(settings)
    assert "gibberish" not in f"{settings} {settings!r}"


def test_development_takes_the_short_and_the_default() -> None:
    """What production refuses is fine on a developer's machine and in tests."""
    for environment in ("development", "test"):
        assert NotesSettings.load(environment=environment, debug=True).debug


@pytest.mark.parametrize(
    ("environment", "log_format", "json"),
    [
        ("production", "auto", True),
        ("development", "auto", None),
        ("production", "pretty", False),
        ("development", "json", True),
    ],
)
def test_the_form_of_logs_follows_the_environment(
    environment: str, log_format: str, json: bool | None
) -> None:
    """JSON in production, the terminal's choice elsewhere, and what is asked for always."""
    settings = NotesSettings.load(environment=environment, log_format=log_format, hash_secret=LONG)
    assert settings.json_logs is json


_ITEMS = st.lists(
    st.text(st.characters(codec="utf-8", exclude_characters=",\0"), min_size=1).filter(
        lambda text: text == text.strip()
    )
)


@given(_ITEMS, st.sampled_from([",", " , ", ",,", "\t,\n"]))
def test_lists_are_written_with_commas(items: list[str], separator: str) -> None:
    """Whatever the items are, and however the commas are set apart."""
    os.environ["NOTES_TAGS"] = separator.join(items)
    try:
        assert NotesSettings.load().tags == items
    finally:
        del os.environ["NOTES_TAGS"]


def test_lists_come_from_the_env_file_too() -> None:
    """The same text means the same in every source."""
    Path(".env").write_text('NOTES_CORS_ORIGINS="https://a.example, https://b.example:8443"\n')
    origins = NotesSettings.load().cors_origins
    assert origins == ["https://a.example", "https://b.example:8443"]


@pytest.mark.parametrize("origin", ["*", "null", "http://localhost:3000", "capacitor://localhost"])
def test_origins_of_browsers_and_of_apps_are_taken(origin: str) -> None:
    """RFC 6454 knows more schemes than two."""
    assert NotesSettings.load(cors_origins=[origin]).cors_origins == [origin]


def test_an_env_file_that_is_no_text_is_a_clear_refusal() -> None:
    """Saved as UTF-16 by an editor, for instance."""
    Path(".env").write_text("NOTES_LOG_LEVEL=debug", encoding="utf-16")
    assert ".env" in _refusal()
