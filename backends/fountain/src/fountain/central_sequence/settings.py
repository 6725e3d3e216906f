from pydantic import Field, SecretStr
from pydantic_settings import SettingsConfigDict

from bedplate.settings import DatabaseSettings


class CentralSequenceSettings(DatabaseSettings):
    """Settings of the sequence service; their variables begin with `CENTRAL_SEQUENCE_`."""

    model_config = SettingsConfigDict(env_prefix="CENTRAL_SEQUENCE_")

    database_url: SecretStr = Field(
        SecretStr("sqlite:///.bedplate/central-sequence.sqlite3"),
        description="PostgreSQL as Neon, Heroku or libpq print it, or sqlite:///path",
    )
