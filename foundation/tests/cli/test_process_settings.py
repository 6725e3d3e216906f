"""Settings of a process."""

import pytest

from bedplate.cli.process_settings import ProcessSettings
from bedplate.settings import SettingsError


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
