"""The secrets directory, as Docker and Kubernetes mount one."""

from pathlib import Path
from typing import ClassVar

import pytest
from pydantic import Field, SecretStr
from pydantic_settings import SettingsConfigDict

from bedplate.settings import SECRETS_DIRECTORY, DatabaseSettings, SettingsError, explain


class NotesSettings(DatabaseSettings):
    """A backend's settings."""

    model_config = SettingsConfigDict(env_prefix="NOTES_")
    shared: ClassVar[frozenset[str]] = DatabaseSettings.shared | {"hash_secret"}

    hash_secret: SecretStr = Field(SecretStr("default"), description="Key")


@pytest.fixture
def secrets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory of secrets that the environment names."""
    folder = tmp_path / "secrets"
    folder.mkdir()
    monkeypatch.setenv(SECRETS_DIRECTORY, str(folder))
    return folder


def _hash_secret() -> str:
    return NotesSettings.load().hash_secret.get_secret_value()


@pytest.mark.parametrize("name", ["notes_hash_secret", "NOTES_HASH_SECRET", "hash_secret"])
def test_a_file_sets_the_variable_of_its_name(secrets: Path, name: str) -> None:
    """With the prefix or shared, in either case; the line feed at its end is not part of it."""
    (secrets / name).write_text("from the file\n", encoding="utf-8")
    assert _hash_secret() == "from the file"


def test_the_file_with_the_prefix_comes_before_the_shared_one(secrets: Path) -> None:
    """As with variables."""
    (secrets / "hash_secret").write_text("shared")
    (secrets / "notes_hash_secret").write_text("own")
    assert _hash_secret() == "own"


def test_only_shared_fields_come_from_files_without_the_prefix(secrets: Path) -> None:
    """A file named `debug` is somebody else's."""
    (secrets / "debug").write_text("true")
    assert not NotesSettings.load().debug


def test_a_variable_comes_before_a_file(secrets: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also a shared variable, and one from `.env`."""
    (secrets / "notes_hash_secret").write_text("file")
    Path(".env").write_text("HASH_SECRET=dotenv")
    assert _hash_secret() == "dotenv"
    monkeypatch.setenv("HASH_SECRET", "variable")
    assert _hash_secret() == "variable"


def test_a_file_may_hold_json(secrets: Path) -> None:
    """Such as a list of numbers, as a variable may."""

    class Numbered(NotesSettings):
        numbers: list[int] = Field(default_factory=list)

    (secrets / "notes_numbers").write_text("[1, 2]")
    assert Numbered.load().numbers == [1, 2]


def test_an_empty_file_sets_nothing(secrets: Path) -> None:
    """As an empty variable."""
    (secrets / "notes_hash_secret").write_text("\n")
    assert _hash_secret() == "default"


def test_kubernetes_links_are_followed(secrets: Path) -> None:
    """It mounts each file as a link into a folder that it swaps at once."""
    data = secrets / "..2026_11_21"
    data.mkdir()
    (data / "notes_hash_secret").write_text("linked")
    (secrets / "..data").symlink_to(data)
    (secrets / "notes_hash_secret").symlink_to(secrets / "..data" / "notes_hash_secret")
    assert _hash_secret() == "linked"


def test_a_class_may_name_a_directory_itself(tmp_path: Path) -> None:
    """`secrets_dir` of pydantic-settings works where the variable doesn't name another."""
    (tmp_path / "database_url").write_text("postgresql://host/name")

    class Mounted(NotesSettings):
        model_config = SettingsConfigDict(env_prefix="NOTES_", secrets_dir=tmp_path)

    assert Mounted.load().database_url == SecretStr("postgresql://host/name")


def test_a_directory_that_is_not_there_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Better than to run with defaults because a mount is missing."""
    monkeypatch.setenv(SECRETS_DIRECTORY, "/nowhere/gibberish")
    with pytest.raises(SettingsError, match="BEDPLATE_SECRETS_DIR") as refused:
        NotesSettings.load()
    assert "gibberish" not in str(refused.value)


def test_a_secret_that_is_no_text_is_refused_without_its_bytes(secrets: Path) -> None:
    """A key in binary form, for instance."""
    (secrets / "notes_hash_secret").write_bytes(b"gibberish\xff\xfe")
    with pytest.raises(SettingsError) as refused:
        NotesSettings.load()
    assert "gibberish" not in str(refused.value)


def test_the_origin_is_shown(secrets: Path) -> None:
    """`bedplate settings` says that a value came from a file, and from which kind."""
    (secrets / "notes_hash_secret").write_text("own")
    (secrets / "redis_url").write_text("redis://host")
    origins = {line.variable: line.origin for line in explain(NotesSettings)}
    assert origins["NOTES_HASH_SECRET"] == "secrets directory"
    assert origins["NOTES_REDIS_URL"] == "secrets directory, shared"
    assert origins["NOTES_DATABASE_URL"] == "default"
