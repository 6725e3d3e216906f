"""Where settings come from, and in which order."""

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

from bedplate.settings.exceptions import SettingsError

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
        found = self._source()
        return {name: value for name, value in found.items() if name in self._shared}


class SecretFilesSource(SecretsSettingsSource):
    """The secrets directory; a file with nothing in it sets nothing, as an empty variable."""

    def __call__(self) -> dict[str, Any]:
        """Return the fields that a file sets."""
        return {
            name: value for name, value in super().__call__().items() if value not in {"", None}
        }


class NamedSource(NamedTuple):
    """A source, and what `bedplate settings` calls it."""

    label: str
    source: PydanticBaseSettingsSource


def sources_of(
    settings_class: type[BaseSettings], shared: frozenset[str], env_file: Any
) -> Iterator[NamedSource]:
    """Yield the sources, the one that counts most first: environment, `.env`, secrets directory.

    In each of them a variable with the prefix comes before the shared one. Raises `SettingsError`
    when the secrets directory isn't there.
    """
    directory = _secrets_directory(settings_class)
    for label, source, options in (
        ("environment", EnvSettingsSource, {}),
        (".env", DotEnvSettingsSource, {"env_file": env_file}),
        ("secrets directory", SecretFilesSource, {"secrets_dir": directory}),
    ):
        without_prefix = source(settings_class, env_prefix="", **options)
        yield NamedSource(label, source(settings_class, **options))
        yield NamedSource(f"{label}, shared", SharedSource(without_prefix, shared))


def _secrets_directory(settings_class: type[BaseSettings]) -> Any:
    named = os.environ.get(SECRETS_DIRECTORY)
    if named and not Path(named).is_dir():
        raise SettingsError(f"{SECRETS_DIRECTORY} must name a directory that is there.")
    return named or settings_class.model_config.get("secrets_dir")
