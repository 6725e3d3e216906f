"""`bedplate settings`, and the settings of a process."""

import pytest

from bedplate.cli.main import main
from bedplate.cli.settings import ProcessSettings
from bedplate.settings import SettingsError

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


def test_options_come_before_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """`BEDPLATE_PORT` counts unless an option is given."""
    monkeypatch.setenv("BEDPLATE_PORT", "8100")
    monkeypatch.setenv("BEDPLATE_WORKERS", "3")
    assert ProcessSettings.load().port == 8100
    settings = ProcessSettings.load(port=8200)
    assert (settings.port, settings.workers) == (8200, 3)


@pytest.mark.parametrize(
    ("given", "production", "grace"), [(None, True, 5.0), (None, False, 0.0), (2.5, True, 2.5)]
)
def test_grace_depends_on_the_environment(
    given: float | None, production: bool, grace: float
) -> None:
    """Production gives load balancers five seconds, development none, and a setting wins."""
    serving = ProcessSettings.load(grace_seconds=given).serving(production=production)
    assert serving.grace_seconds == grace
    assert serving.deadline_seconds == grace + 30.0


def test_backends_that_close_slowly_move_the_deadline() -> None:
    """What the resources of a backend may take to close comes on top of the deadline."""
    serving = ProcessSettings.load(grace_seconds=1).serving(production=True, shutdown_seconds=250)
    assert serving.deadline_seconds == 1 + 30 + 250


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("BEDPLATE_PORT", "65536"),
        ("BEDPLATE_OPERATIONS_PORT", "-1"),
        ("BEDPLATE_WORKERS", "0"),
        ("BEDPLATE_GRACE_SECONDS", "nan"),
    ],
)
def test_what_cannot_work_names_the_variable(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    """A value out of bounds is refused in a sentence that names the variable."""
    monkeypatch.setenv(variable, value)
    with pytest.raises(SettingsError, match=f"^{variable}"):
        ProcessSettings.load()
