"""The sources of settings, and their order."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from pydantic_settings import (
    BaseSettings,
    DotEnvSettingsSource,
    EnvSettingsSource,
    PydanticBaseSettingsSource,
    SecretsSettingsSource,
)

from bedplate.settings.values import SettingsError

SECRETS_DIRECTORY = "BEDPLATE_SECRETS_DIR"
"""Names the directory whose files are settings: file `tasks_database_url` or `database_url`."""


class SharedSource(PydanticBaseSettingsSource):
    """Another source, read without the prefix, for the shared fields only."""

    def __init__(self, source: PydanticBaseSettingsSource, shared: frozenset[str]) -> None:
        super().__init__(source.settings_cls)
        self._source = source
        self._shared = shared

    def get_field_value(self, field: Any, field_name: str) -> tuple[Any, str, bool]:
        """Return what the source holds for a field."""
        return self._source.get_field_value(field, field_name)

    def __call__(self) -> dict[str, Any]:
        """Return the shared fields that the source sets."""
        return {name: value for name, value in self._source().items() if name in self._shared}


class SecretFilesSource(SecretsSettingsSource):
    """The secrets directory; an empty file sets nothing, like an empty variable."""

    def __call__(self) -> dict[str, Any]:
        """Return the fields that a file sets."""
        return {
            name: value for name, value in super().__call__().items() if value not in {"", None}
        }


class NamedSource(NamedTuple):
    """A source, and its name in `bedplate settings`."""

    label: str
    source: PydanticBaseSettingsSource


def sources_of(
    settings_class: type[BaseSettings], shared: frozenset[str], env_file: Any
) -> Iterator[NamedSource]:
    """Yield the sources in order of precedence: environment, `.env`, secrets directory.

    In each of them a variable with the prefix precedes the shared one. Raises `SettingsError` when
    the secrets directory doesn't exist.
    """
    directory: Any = os.environ.get(SECRETS_DIRECTORY)
    if directory and not Path(directory).is_dir():
        raise SettingsError(f"{SECRETS_DIRECTORY} must name an existing directory.")
    directory = directory or settings_class.model_config.get("secrets_dir")
    for label, source, options in (
        ("environment", EnvSettingsSource, {}),
        (".env", DotEnvSettingsSource, {"env_file": env_file}),
        ("secrets directory", SecretFilesSource, {"secrets_dir": directory}),
    ):
        without_prefix = source(settings_class, env_prefix="", **options)
        yield NamedSource(label, source(settings_class, **options))
        yield NamedSource(f"{label}, shared", SharedSource(without_prefix, shared))
