"""What the game-server manager can be told. Variables begin with `VS_`."""

from pathlib import Path

from pydantic import Field, SecretStr
from pydantic_settings import SettingsConfigDict

from bedplate.settings import Secret, Settings

DEVELOPMENT_ADMIN_KEY = "development-only-admin-key"
DEVELOPMENT_MONITOR_KEY = "development-only-monitor-key"


class GameServerSettings(Settings):
    """Settings of the game-server manager."""

    model_config = SettingsConfigDict(env_prefix="VS_")

    data_directory: Path = Field(
        Path(".bedplate/gameserver"), description="Where the game, its data and backups lie"
    )
    admin_key: Secret = Field(
        SecretStr(DEVELOPMENT_ADMIN_KEY), description="X-API-Key that may do everything"
    )
    monitor_key: Secret = Field(
        SecretStr(DEVELOPMENT_MONITOR_KEY), description="X-API-Key that may look, and no more"
    )
    stop_seconds: float = Field(180.0, gt=0, description="Seconds the game may take to save")
    terminate_seconds: float = Field(
        60.0, gt=0, description="Seconds it may take after SIGTERM, before SIGKILL"
    )
