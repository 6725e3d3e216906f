"""Settings from the environment, `.env` and a secrets directory; unsafe values are refused.

A backend's settings class derives from `Settings`, or from `DatabaseSettings` when it has a
database, and names its prefix: `class TasksSettings(DatabaseSettings, env_prefix="TASKS_")`. Fields
in `shared` are also read without the prefix, so that one `DATABASE_URL` serves several backends.
"""

from bedplate.settings.base import Environment, Settings
from bedplate.settings.database import DatabaseSettings, embedded_database
from bedplate.settings.explanation import SettingLine, explain
from bedplate.settings.sources import SECRETS_DIRECTORY
from bedplate.settings.values import (
    CommaSeparated,
    Networks,
    Origins,
    RedisURL,
    Secret,
    SettingsError,
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
    "SigningSecret",
    "WebURL",
    "embedded_database",
    "explain",
]
