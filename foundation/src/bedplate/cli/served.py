"""The applications that each worker process of `bedplate run` creates."""

from collections.abc import Sequence
from typing import Any

from prometheus_client import REGISTRY
from starlette.types import ASGIApp

from bedplate.cli.installed import load_all
from bedplate.cli.process_settings import ProcessSettings
from bedplate.cli.run import configure_process_logging
from bedplate.composition import compose
from bedplate.lifecycle import Drain
from bedplate.observability.health import operations_app


def make_application(drain: Drain, names: Sequence[str]) -> ASGIApp:
    """Return the application of these backends. Raises `bedplate.settings.SettingsError`."""
    process = ProcessSettings.load()
    backends = load_all(names)
    settings = {backend.name: backend.load_settings() for backend in backends}
    configure_process_logging(process, settings)
    return compose(backends, settings, own_settings=process, drain=drain)


def make_operations(drain: Drain, application: Any, names: Sequence[str]) -> ASGIApp:
    """Return the application of the operations port: metrics, and every backend's health."""
    del drain, names
    return operations_app(application.state.healths, REGISTRY)
