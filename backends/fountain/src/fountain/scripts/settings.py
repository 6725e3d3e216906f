"""What the script service can be told. Variables begin with `SCRIPTS_`."""

from pydantic import Field, SecretStr
from pydantic_settings import SettingsConfigDict

from bedplate.settings import DatabaseSettings, WebURL


class ScriptsSettings(DatabaseSettings):
    """Settings of the script service."""

    model_config = SettingsConfigDict(env_prefix="SCRIPTS_")

    database_url: SecretStr = Field(
        SecretStr("sqlite:///.bedplate/scripts.sqlite3"),
        description="PostgreSQL as Neon, Heroku or libpq print it, or sqlite:///path",
    )
    sequence_url: WebURL | None = Field(
        None, description="Central Sequence Service, when it runs in another process"
    )
    sequence_timeout_seconds: float = Field(
        3.0, gt=0, le=60, description="Seconds for one of three attempts to reach it"
    )
