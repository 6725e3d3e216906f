"""Settings: from the environment, `.env` and a secrets directory; unsafe ones are refused.

A backend's settings class derives from `Settings` (and `DatabaseSettings` when it stores) and
names its prefix: `model_config = SettingsConfigDict(env_prefix="TASKS_")`. Fields named in
`shared` are also read without the prefix, so that one `DATABASE_URL` serves several backends.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import BeforeValidator, Field, SecretStr, ValidationError, model_validator
from pydantic_settings import (
    BaseSettings,
    DotEnvSettingsSource,
    EnvSettingsSource,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

_SHORTEST_SECRET = 32


class SettingsError(Exception):
    """A setting that can't be used; the sentence names the variable and says what to do."""


class Environment(StrEnum):
    """Where a process runs: it decides on defaults, and on what is refused."""

    DEVELOPMENT = "development"
    TEST = "test"
    PRODUCTION = "production"


def _split(value: object) -> object:
    return (
        [part.strip() for part in value.split(",") if part.strip()]
        if isinstance(value, str)
        else value
    )


CommaSeparated = Annotated[list[str], NoDecode, BeforeValidator(_split)]
"""A list that the environment writes as `a,b,c`."""


class SigningSecret:
    """Marks a `SecretStr` that signs or hashes: in production it must be set, and 32 bytes long."""


Secret = Annotated[SecretStr, SigningSecret()]


class SharedSource(PydanticBaseSettingsSource):
    """Another source, read without the prefix, for the shared fields only."""

    def __init__(self, source: EnvSettingsSource, shared: frozenset[str]) -> None:
        super().__init__(source.settings_cls)
        self._source = source
        self._shared = shared

    def get_field_value(self, field: Any, field_name: str) -> tuple[Any, str, bool]:
        """Return what the source holds for a field."""
        return self._source.get_field_value(field, field_name)

    def __call__(self) -> dict[str, Any]:
        """Return the shared fields that the source sets."""
        found = self._source()
        return {name: value for name, value in found.items() if name in self._shared}


class Settings(BaseSettings):
    """What every backend can be told; each backend derives its own class from it."""

    model_config = SettingsConfigDict(
        env_file=".env", extra="ignore", frozen=True, secrets_dir=None, env_ignore_empty=True
    )
    shared: ClassVar[frozenset[str]] = frozenset(
        {
            "environment",
            "log_level",
            "log_format",
            "cors_origins",
            "redis_url",
            "trusted_proxies",
            "status_token",
            "otel_enabled",
        }
    )

    environment: Environment = Field(
        Environment.DEVELOPMENT, description="development, test or production"
    )
    debug: bool = Field(default=False, description="Refused in production")
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="Least level that is logged"
    )
    log_format: Literal["auto", "json", "pretty"] = Field(
        "auto", description="auto: JSON in production and when the output is no terminal"
    )
    cors_origins: CommaSeparated = Field(
        default_factory=list, description="Origins that browsers may call from, comma-separated"
    )
    trusted_proxies: CommaSeparated = Field(
        default_factory=list,
        description="Addresses or networks (CIDR) whose X-Forwarded-For is believed",
    )
    redis_url: SecretStr | None = Field(
        None, description="Redis or Valkey that shares rate limits; without it each process counts"
    )
    rate_limit_on_failure: Literal["fall_back", "refuse", "allow"] = Field(
        "fall_back", description="What a rate limit does while Redis is away"
    )
    request_timeout: float = Field(30.0, gt=0, le=3600, description="Seconds until a 504")
    max_body_bytes: int = Field(1_048_576, ge=0, description="Largest request body")
    max_json_depth: int = Field(64, ge=1, le=500, description="Deepest nesting of a JSON body")
    status_token: SecretStr | None = Field(
        None, description="Bearer token that may see the detail of /statusz"
    )
    otel_enabled: bool = Field(default=False, description="Switch OpenTelemetry on")

    @property
    def production(self) -> bool:
        """Whether this is the real thing."""
        return self.environment is Environment.PRODUCTION

    @property
    def json_logs(self) -> bool | None:
        """Whether logs are JSON; None leaves it to the terminal."""
        if self.log_format == "auto":
            return True if self.production else None
        return self.log_format == "json"

    @classmethod
    def variable(cls, field: str) -> str:
        """Return the environment variable that sets a field."""
        return f"{cls.model_config.get('env_prefix', '')}{field}".upper()

    @classmethod
    def load(cls, **values: Any) -> Self:
        """Return the settings of this process; `values` come before every other source.

        Raises `SettingsError`, one sentence a refusal, naming the variable.
        """
        try:
            return cls(**values)
        except ValidationError as error:
            raise SettingsError(" ".join(cls._sentences(error))) from None

    @classmethod
    def _sentences(cls, error: ValidationError) -> Iterator[str]:
        for line in error.errors(include_input=False, include_url=False):
            message = line["msg"].removeprefix("Value error, ").rstrip(".")
            field = line["loc"][0] if line["loc"] else None
            yield f"{cls.variable(str(field))}: {message}." if field else f"{message}."

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Return the sources in their order: what is named for this backend comes first."""
        return (
            init_settings,
            env_settings,
            SharedSource(EnvSettingsSource(settings_cls, env_prefix=""), cls.shared),
            dotenv_settings,
            SharedSource(DotEnvSettingsSource(settings_cls, env_prefix=""), cls.shared),
            file_secret_settings,
        )

    @model_validator(mode="after")
    def _refuse_unsafe(self) -> Self:
        if not self.production:
            return self
        if self.debug:
            raise ValueError(f"{self.variable('debug')} must be off in production")
        for name, field in type(self).model_fields.items():
            if any(isinstance(mark, SigningSecret) for mark in field.metadata):
                self._refuse_weak_secret(name, field.get_default(call_default_factory=True))
        return self

    def _refuse_weak_secret(self, name: str, default: Any) -> None:
        secret: SecretStr | None = getattr(self, name)
        if secret is None:
            return
        value = secret.get_secret_value()
        if secret == default:
            raise ValueError(
                f"{self.variable(name)} still has its development default: "
                "set a random secret of 32 bytes or more in production"
            )
        if len(value.encode("utf-8", "replace")) < _SHORTEST_SECRET:
            raise ValueError(
                f"{self.variable(name)} is shorter than 32 bytes: set a longer random secret"
            )


class DatabaseSettings(Settings):
    """What a backend that stores can be told beside the rest."""

    shared: ClassVar[frozenset[str]] = Settings.shared | {"database_url", "database_pooler"}

    database_url: SecretStr = Field(
        SecretStr("sqlite:///.bedplate/bedplate.sqlite3"),
        description="PostgreSQL as Neon, Heroku or libpq print it, or sqlite:///path",
    )
    database_pooler: bool = Field(
        default=False, description="A transaction pooler is in between: no prepared statements"
    )
    database_pool_size: int | None = Field(
        None, ge=1, le=1000, description="Connections kept; 10 in production, else 3"
    )
    database_max_overflow: int | None = Field(
        None, ge=0, le=1000, description="Connections beyond those; 20 in production, else 5"
    )
    database_pool_timeout: float = Field(
        30.0, gt=0, description="Seconds to wait for a connection before a 503"
    )
    database_pool_recycle: int = Field(3600, ge=-1, description="Seconds a connection may live")
    database_pre_ping: bool = Field(
        default=True, description="Test a connection that idled before it is used"
    )
    database_connect_timeout: float = Field(5.0, gt=0, description="Seconds to connect")
    database_command_timeout: float = Field(10.0, gt=0, description="Seconds for one statement")
    database_auto_migrate: bool | None = Field(
        None, description="Migrate at start; by default everywhere but in production"
    )

    @property
    def pool_size(self) -> int:
        """Connections that are kept."""
        return self.database_pool_size or (10 if self.production else 3)

    @property
    def max_overflow(self) -> int:
        """Connections beyond those that are kept."""
        if self.database_max_overflow is not None:
            return self.database_max_overflow
        return 20 if self.production else 5

    @property
    def auto_migrate(self) -> bool:
        """Whether a start migrates by itself."""
        if self.database_auto_migrate is not None:
            return self.database_auto_migrate
        return not self.production

    @model_validator(mode="after")
    def _refuse_embedded_in_production(self) -> Self:
        if self.production and "database_url" not in self.model_fields_set:
            raise ValueError(
                f"{self.variable('database_url')} (or DATABASE_URL) must be set in production"
            )
        return self


@dataclass(frozen=True)
class SettingLine:
    """One setting as `bedplate settings` shows it."""

    variable: str
    value: str
    origin: str
    meaning: str


def explain(settings_class: type[Settings]) -> list[SettingLine]:
    """Return each setting with its value (secrets masked), where it came from and its meaning."""
    settings = settings_class.load()
    origins = _origins(settings_class)
    return [
        SettingLine(
            settings_class.variable(name),
            str(getattr(settings, name)),
            origins.get(name, "default"),
            field.description or "",
        )
        for name, field in settings_class.model_fields.items()
    ]


def _origins(settings_class: type[Settings]) -> dict[str, str]:
    labelled = [
        ("environment", EnvSettingsSource(settings_class)),
        ("environment, shared", _shared(settings_class, EnvSettingsSource)),
        (".env", DotEnvSettingsSource(settings_class)),
        (".env, shared", _shared(settings_class, DotEnvSettingsSource)),
    ]
    origins: dict[str, str] = {}
    for label, source in labelled:
        for name in source():
            origins.setdefault(name, label)
    return origins


def _shared(
    settings_class: type[Settings], source: type[EnvSettingsSource]
) -> PydanticBaseSettingsSource:
    return SharedSource(source(settings_class, env_prefix=""), settings_class.shared)
