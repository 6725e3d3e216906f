"""Settings of serving, and what makes the applications."""

import pytest
from starlette.types import ASGIApp, Receive, Scope, Send

from bedplate.lifecycle import Drain
from bedplate.runtime.serving import Factories, Serving, StartupError


async def nothing(scope: Scope, receive: Receive, send: Send) -> None:
    """Do nothing; an ASGI application."""


def make(drain: Drain, *arguments: object) -> ASGIApp:
    """Return an application, or fail when asked."""
    if arguments:
        raise ValueError(*arguments)
    return nothing


@pytest.mark.parametrize(("workers", "grace_seconds"), [(0, 5.0), (1, 30.0), (1, -1.0)])
def test_impossible_settings_are_refused(workers: int, grace_seconds: float) -> None:
    """No workers, and a deadline within the grace time, are refused at once."""
    with pytest.raises(ValueError, match="must be"):
        Serving(workers=workers, grace_seconds=grace_seconds)


def test_factory_gets_the_drain_and_the_arguments() -> None:
    """A failing factory is one sentence, with the arguments it was called with in its hands."""
    assert Factories(application=make).make_application(Drain()) is nothing
    failing = Factories(application=make, arguments=("no\nsettings.",))
    with pytest.raises(StartupError, match=r"\(ValueError: no settings\); correct that"):
        failing.make_application(Drain())


def test_factory_that_does_not_exist_is_one_sentence() -> None:
    """A wrong name is a StartupError, not an ImportError."""
    with pytest.raises(StartupError, match="ModuleNotFoundError"):
        Factories(application="no_such_module:make").make_application(Drain())
