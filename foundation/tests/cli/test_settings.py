"""`bedplate settings`."""

import pytest

from bedplate.cli.main import main

pytestmark = pytest.mark.usefixtures("backends")
Captured = pytest.CaptureFixture[str]


def test_value_and_origin_are_shown(capsys: Captured, monkeypatch: pytest.MonkeyPatch) -> None:
    """A setting from the environment shows its value, where it came from, and what it means."""
    monkeypatch.setenv("LARKNOTES_REQUEST_TIMEOUT_SECONDS", "12.5")
    assert main(["settings", "larknotes"]) == 0
    line = next(
        line
        for line in capsys.readouterr().out.splitlines()
        if "LARKNOTES_REQUEST_TIMEOUT_SECONDS" in line
    )
    assert "12.5" in line
    assert "environment" in line
    assert "Seconds until a 504" in line


def test_secrets_are_masked(capsys: Captured, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither a token nor the password in a URL is shown."""
    monkeypatch.setenv("LARKNOTES_DATABASE_URL", "postgresql://user:hunter2@host/name")
    monkeypatch.setenv("STATUS_TOKEN", "hunter2")
    assert main(["settings"]) == 0
    assert "hunter2" not in capsys.readouterr().out


def test_the_process_has_settings_of_its_own(capsys: Captured) -> None:
    """Without a name, the settings of the process come first, then those of every backend."""
    assert main(["settings"]) == 0
    text = capsys.readouterr().out
    assert text.startswith("the process\n")
    assert text.index("BEDPLATE_PORT") < text.index("LARKNOTES_") < text.index("LARKSONGS_")


def test_a_refused_setting_is_one_line(capsys: Captured, monkeypatch: pytest.MonkeyPatch) -> None:
    """A setting that can't be used is named on one line."""
    monkeypatch.setenv("LARKNOTES_REQUEST_TIMEOUT_SECONDS", "soon")
    assert main(["settings", "larknotes"]) == 1
    captured = capsys.readouterr()
    assert "LARKNOTES_REQUEST_TIMEOUT_SECONDS" in captured.err
    assert captured.err.count("\n") == 1
