"""Serves the witness as a process of its own: `bedplate audits witness`."""

from starlette.types import ASGIApp

from audits.witnesses.backend import WitnessSettings, backend, witness_key
from bedplate.application import create_app
from bedplate.lifecycle import Drain
from bedplate.observability.logs import configure_logging
from bedplate.runtime import Serving, serve

__all__ = ["WitnessSettings", "make_witness", "serve_witness", "witness_key"]


def serve_witness(settings: WitnessSettings, host: str, port: int) -> int:
    """Serve until SIGTERM, and return the exit code."""
    configure_logging(json=settings.json_logs is not False, level=settings.log_level)
    return serve(make_witness, None, Serving(host=host, port=port))


def make_witness(drain: Drain) -> ASGIApp:
    """Return the application of the witness."""
    return create_app(backend, WitnessSettings.load(), drain=drain)
