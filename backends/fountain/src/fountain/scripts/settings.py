from pydantic import Field, SecretStr
from pydantic_settings import SettingsConfigDict

from fountain.common.settings import NumberedServiceSettings


class ScriptsSettings(NumberedServiceSettings):
    """Settings of the script service; their variables begin with `SCRIPTS_`."""

    model_config = SettingsConfigDict(env_prefix="SCRIPTS_")

    database_url: SecretStr = Field(
        SecretStr("sqlite:///.bedplate/scripts.sqlite3"),
        description="PostgreSQL as Neon, Heroku or libpq print it, or sqlite:///path",
    )
