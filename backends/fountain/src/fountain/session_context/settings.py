"""What the session service can be told. Variables begin with `SESSION_CONTEXT_`."""

from pydantic import Field, SecretStr
from pydantic_settings import SettingsConfigDict

from bedplate.settings import DatabaseSettings, WebURL


class SessionContextSettings(DatabaseSettings):
    """Settings of the session service."""

    model_config = SettingsConfigDict(env_prefix="SESSION_CONTEXT_")

    database_url: SecretStr = Field(
        SecretStr("sqlite:///.bedplate/session-context.sqlite3"),
        description="PostgreSQL as Neon, Heroku or libpq print it, or sqlite:///path",
    )
    sequence_url: WebURL | None = Field(
        None, description="Central Sequence Service, when it runs in another process"
    )
    sequence_timeout_seconds: float = Field(
        3.0, gt=0, le=60, description="Seconds for one of three attempts to reach it"
    )
