"""`bedplate run`: checks the settings and refuses invalid combinations, then serves."""

import sys
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import typer
from prometheus_client import REGISTRY
from starlette.types import ASGIApp

from bedplate.backend import Backend, load_settings_of
from bedplate.cli.announcement import Served, announcing, program
from bedplate.cli.exceptions import CommandError
from bedplate.cli.installed import load_all
from bedplate.cli.settings import ProcessSettings
from bedplate.cli.supervisor import Supervision
from bedplate.composition import compose
from bedplate.lifecycle import Drain
from bedplate.observability.health import operations_app
from bedplate.observability.logs import configure_logging
from bedplate.runtime import serve
from bedplate.settings import Settings


def run(
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="[NAMES]...", help="Default: all installed backends."),
    ] = None,
    *,
    host: Annotated[str | None, typer.Option(help="Address of the API (BEDPLATE_HOST).")] = None,
    port: Annotated[int | None, typer.Option(help="Port of the API: 8000 (BEDPLATE_PORT).")] = None,
    operations_port: Annotated[
        int | None,
        typer.Option(help="Port of metrics and health: 9090 (BEDPLATE_OPERATIONS_PORT)."),
    ] = None,
    workers: Annotated[
        int | None, typer.Option(help="Number of worker processes: 1 (BEDPLATE_WORKERS).")
    ] = None,
    grace: Annotated[
        float | None,
        typer.Option(
            help="Seconds from SIGTERM until the listener closes: 5 in production, else 0 "
            "(BEDPLATE_GRACE_SECONDS)."
        ),
    ] = None,
) -> None:
    """Serve backends until SIGTERM or Ctrl-C: one at the root, several each under its name."""
    options = {
        "host": host,
        "port": port,
        "operations_port": operations_port,
        "workers": workers,
        "grace_seconds": grace,
    }
    process = ProcessSettings.load(**{k: v for k, v in options.items() if v is not None})
    raise typer.Exit(_serve(process, load_all(names or [])))


def _serve(process: ProcessSettings, backends: Sequence[Backend]) -> int:
    settings = load_settings_of(backends)
    if process.workers > 1:
        for backend in backends:
            refuse_several_workers(backend, settings[backend.name])
    production = any(each.production for each in settings.values())
    closing = shutdown_seconds(backends, settings)
    serving = process.serving(production=production, shutdown_seconds=closing)
    served = [Served.of(backend) for backend in backends]
    if process.workers > 1:
        json, level = log_format(process, settings)
        Supervision(
            served=served,
            serving=serving,
            json_logs=json,
            log_level=level,
            announce=not production,
            program=program(),
        ).become()
    configure_process_logging(process, settings)
    with announcing(served, enabled=not production, program=program()):
        return serve(make_application, make_operations, serving, arguments=(tuple(settings),))


def shutdown_seconds(backends: Sequence[Backend], settings: Mapping[str, Settings]) -> float:
    """Return how many seconds the states of all backends may take to close, one after another."""
    return sum(
        backend.shutdown_seconds(settings[backend.name])
        for backend in backends
        if backend.shutdown_seconds is not None
    )


def refuse_several_workers(backend: Backend, settings: Settings) -> None:
    """Raise `CommandError` if a backend keeps state in memory that workers can't share."""
    if backend.single_process is not None:
        raise CommandError(
            f"{backend.name} can't run as several workers: "
            f"{backend.single_process.rstrip('.')}. Run it with --workers 1."
        )
    if backend.rate_limit is not None and settings.redis_url is None:
        raise CommandError(
            f"{backend.name} counts its rate limits in memory, which several workers can't share: "
            f"set REDIS_URL (or {settings.variable('redis_url')}), or run with --workers 1."
        )


def configure_process_logging(process: ProcessSettings, settings: Mapping[str, Settings]) -> None:
    """Configure logging by the settings of the only backend, or else of the process."""
    json, level = log_format(process, settings)
    configure_logging(json=json, level=level)


def log_format(process: ProcessSettings, settings: Mapping[str, Settings]) -> tuple[bool, str]:
    """Return whether logs are JSON, and their minimum level.

    Without a configured format, logs are JSON if any backend is in production.
    """
    deciding: Settings = next(iter(settings.values())) if len(settings) == 1 else process
    json = deciding.json_logs
    if json is None:
        json = any(each.production for each in settings.values()) or not sys.stderr.isatty()
    return json, deciding.log_level


def make_application(drain: Drain, names: Sequence[str]) -> ASGIApp:
    """Return the application of these backends. Raises `bedplate.settings.SettingsError`."""
    process = ProcessSettings.load()
    backends = load_all(names)
    settings = load_settings_of(backends)
    configure_process_logging(process, settings)
    return compose(backends, settings, own_settings=process, drain=drain)


def make_operations(drain: Drain, application: Any, names: Sequence[str]) -> ASGIApp:
    """Return the application of the operations port: metrics, and every backend's health."""
    del drain, names
    return operations_app(application.state.healths, REGISTRY)
