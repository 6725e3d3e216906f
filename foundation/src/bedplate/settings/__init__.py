"""Settings: from the environment, `.env` and a secrets directory; unsafe ones are refused.

A backend's settings class derives from `Settings` (and `DatabaseSettings` when it stores) and
names its prefix: `model_config = SettingsConfigDict(env_prefix="TASKS_")`. Fields named in
`shared` are also read without the prefix, so that one `DATABASE_URL` serves several backends.
"""

from bedplate.settings.base import Environment, Settings
from bedplate.settings.database import DatabaseSettings
from bedplate.settings.exceptions import SettingsError
from bedplate.settings.explanation import SettingLine, explain
from bedplate.settings.sources import SECRETS_DIRECTORY, SharedSource
from bedplate.settings.values import (
    CommaSeparated,
    Networks,
    Origins,
    RedisURL,
    Secret,
    SigningSecret,
    WebURL,
)

__all__ = [
    "SECRETS_DIRECTORY",
    "CommaSeparated",
    "DatabaseSettings",
    "Environment",
    "Networks",
    "Origins",
    "RedisURL",
    "Secret",
    "SettingLine",
    "Settings",
    "SettingsError",
    "SharedSource",
    "SigningSecret",
    "WebURL",
    "explain",
]
