from pydantic import Field, SecretStr
from pydantic_settings import SettingsConfigDict

from bedplate.settings import DatabaseSettings


class CharactersSettings(DatabaseSettings):
    """Settings of the character service; their variables begin with `CHARACTERS_`."""

    model_config = SettingsConfigDict(env_prefix="CHARACTERS_")

    database_url: SecretStr = Field(
        SecretStr("sqlite:///.bedplate/characters.sqlite3"),
        description="PostgreSQL as Neon, Heroku or libpq print it, or sqlite:///path",
    )
