from pydantic import Field, SecretStr
from pydantic_settings import SettingsConfigDict

from fountain.common.settings import NumberedServiceSettings


class SessionContextSettings(NumberedServiceSettings):
    """Settings of the session service; their variables begin with `SESSION_CONTEXT_`."""

    model_config = SettingsConfigDict(env_prefix="SESSION_CONTEXT_")

    database_url: SecretStr = Field(
        SecretStr("sqlite:///.bedplate/session-context.sqlite3"),
        description="PostgreSQL as Neon, Heroku or libpq print it, or sqlite:///path",
    )
