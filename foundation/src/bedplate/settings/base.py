import re
from collections.abc import Callable, Iterable, Iterator
from enum import StrEnum
from typing import Any, ClassVar, Literal, Self

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict
from pydantic_settings import SettingsError as UnreadableSetting

from bedplate.settings.sources import sources_of
from bedplate.settings.values import (
    MIN_SECRET_BYTES,
    Networks,
    Origins,
    RedisURL,
    Secret,
    SettingsError,
    is_signing_secret,
)
from bedplate.validation import message_of


class Environment(StrEnum):
    """Where a process runs: decides on defaults and refusals."""

    DEVELOPMENT = "development"
    TEST = "test"
    PRODUCTION = "production"


class _Unsafe(ValueError):
    """Values that can be read, but can't stay, each with its sentence."""

    def __init__(self, settings: "Settings", sentences: list[str]) -> None:
        super().__init__(". ".join(sentences))
        self.settings = settings


class Settings(BaseSettings):
    """The settings of every backend; each backend derives its own class."""

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
            "compiled_routes",
        }
    )

    environment: Environment = Field(
        Environment.DEVELOPMENT, description="development, test or production"
    )
    debug: bool = Field(default=False, description="Refused in production")
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="Minimum log level"
    )
    log_format: Literal["auto", "json", "pretty"] = Field(
        "auto", description="auto: JSON in production and when the output isn't a terminal"
    )
    cors_origins: Origins = Field(
        default_factory=list, description="Origins that browsers may call from, comma-separated"
    )
    trusted_proxies: Networks = Field(
        default_factory=list,
        description="Addresses or networks (CIDR) whose X-Forwarded-For is trusted",
    )
    redis_url: RedisURL | None = Field(
        None, description="Redis or Valkey that shares the rate limits of several processes"
    )
    rate_limit_on_failure: Literal["fall_back", "refuse", "allow"] = Field(
        "fall_back", description="What rate limits do while Redis is unavailable"
    )
    request_timeout_seconds: float = Field(30.0, gt=0, le=3600, description="Seconds until a 504")
    max_body_bytes: int = Field(1_048_576, ge=0, description="Maximum size of a request body")
    max_json_depth: int = Field(64, ge=1, le=500, description="Maximum nesting of a JSON body")
    max_json_members: int = Field(
        10_000, ge=1, description="Maximum members of all objects of a JSON body together"
    )
    status_token: Secret | None = Field(
        None, description="Bearer token for the details of /statusz"
    )
    otel_enabled: bool = Field(default=False, description="Export OpenTelemetry traces and metrics")
    compiled_routes: bool = Field(
        default=True,
        description="Compile routes and pass one ASGI layer; off, FastAPI does all of it",
    )

    @property
    def production(self) -> bool:
        """Whether the environment is production."""
        return self.environment is Environment.PRODUCTION

    @property
    def json_logs(self) -> bool | None:
        """Whether logs are JSON; None when that depends on the terminal."""
        if self.log_format == "auto":
            return True if self.production else None
        return self.log_format == "json"

    @classmethod
    def variable(cls, field: str) -> str:
        """Return the environment variable that sets a field."""
        return f"{cls.model_config.get('env_prefix', '')}{field}".upper()

    @classmethod
    def variables(cls, field: str) -> str:
        """Return every variable that sets a field: `TASKS_REDIS_URL (or REDIS_URL)`."""
        variable = cls.variable(field)
        shared = field in cls.shared and variable != field.upper()
        return f"{variable} (or {field.upper()})" if shared else variable

    @classmethod
    def load(
        cls, further_errors: Callable[[Self], Iterable[str]] | None = None, /, **values: Any
    ) -> Self:
        """Return the settings of this process; `values` precede every other source.

        `further_errors` yields sentences about them as `validation_errors` does.
        Raises `SettingsError` with a sentence for each refusal, which names the variable.
        """
        sentences: list[str] = []
        settings: Self | None = None
        try:
            settings = cls(**values)
        except ValidationError as error:
            sentences += cls._sentences(error)
            settings = cls._refused(error)
        except UnreadableSetting as error:
            field = re.search(r'field "(\w+)"', str(error))
            variable = cls.variables(field[1]) if field else "A setting"
            raise SettingsError(f"{variable} can't be read as JSON.") from None
        except UnicodeDecodeError:
            raise SettingsError("A settings file (.env or a secret) isn't UTF-8.") from None
        except OSError as error:
            raise SettingsError(f"{error.filename} can't be read: {error.strerror}.") from None
        if settings is not None and further_errors is not None:
            sentences += (f"{sentence}." for sentence in further_errors(settings))
        if settings is None or sentences:
            raise SettingsError(" ".join(sentences))
        return settings

    @classmethod
    def _refused(cls, error: ValidationError) -> Self | None:
        """Return the settings whose values are each valid, but unsafe."""
        for line in error.errors(include_url=False):
            reason = line.get("ctx", {}).get("error")
            if isinstance(reason, _Unsafe) and isinstance(reason.settings, cls):
                return reason.settings
        return None

    @classmethod
    def _sentences(cls, error: ValidationError) -> Iterator[str]:
        for line in error.errors(include_url=False):
            message = message_of(line).rstrip(".")
            field = line["loc"][0] if line["loc"] else None
            yield f"{cls.variables(str(field))}: {message}." if field else f"{message}."

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - pydantic-settings names it
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - the same
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Return the sources in order of precedence; a program's own values come first."""
        env_file = getattr(dotenv_settings, "env_file", None)
        others = sources_of(settings_cls, cls.shared, env_file)
        return (init_settings, *(source for _, source in others))

    def validation_errors(self) -> Iterator[str]:
        """Yield a sentence for each unsafe value, which names the variable.

        A derived class yields its base's first: one start reports every problem.
        """
        if not self.production:
            return
        if self.debug:
            yield f"{self.variables('debug')} must be off in production"
        for name, field in type(self).model_fields.items():
            if is_signing_secret(field):
                yield from self._weakness(name, field.get_default(call_default_factory=True))

    @field_validator("*", mode="before")
    @classmethod
    def _strip(cls, value: Any) -> Any:
        """Drop white space around a value: a secret of Kubernetes often ends with a line feed."""
        return value.strip() if isinstance(value, str) else value

    @model_validator(mode="after")
    def _refuse_unsafe(self) -> Self:
        if refusals := list(self.validation_errors()):
            raise _Unsafe(self, refusals)
        return self

    def _weakness(self, name: str, default: Any) -> Iterator[str]:
        secret: SecretStr | None = getattr(self, name)
        if secret is None:
            return
        size = len(secret.get_secret_value().encode("utf-8", "surrogateescape"))
        if secret == default:
            yield (
                f"{self.variables(name)} still has its development default: "
                f"set a random secret of {MIN_SECRET_BYTES} bytes or more in production"
            )
        elif size < MIN_SECRET_BYTES:
            yield (
                f"{self.variables(name)} is shorter than {MIN_SECRET_BYTES} bytes: "
                "set a longer random secret"
            )
