from importlib.util import find_spec

from fastapi.telemetry import TelemetryConfig

from bedplate.observability.routes import is_z_page
from bedplate.settings import SettingsError

_PACKAGES = ("opentelemetry.sdk", "opentelemetry.exporter.otlp.proto.http")


def telemetry_options(*, enabled: bool) -> TelemetryConfig:
    """Return the `telemetry` of `FastAPI(telemetry=…)` that switches OpenTelemetry on or off.

    When on, traces and metrics go to `OTEL_EXPORTER_OTLP_ENDPOINT`, without those of z-pages.
    FastAPI's log records stay off, since they repeat refused input, and so do its spans for each
    operation, which double the cost. When off, nothing is imported. Raises `SettingsError` when
    the SDK isn't installed.
    """
    if not enabled:
        return {"tracing": False, "metrics": False, "logs": False, "auto_configure": False}
    try:
        is_installed = all(find_spec(module) is not None for module in _PACKAGES)
    except ModuleNotFoundError:  # a parent package is missing
        is_installed = False
    if not is_installed:
        raise SettingsError(
            "OTEL_ENABLED is set, but the OpenTelemetry SDK isn't installed: "
            "pip install 'bedplate[otel]'"
        )
    return {
        "tracing": True,
        "metrics": True,
        "logs": False,
        "operation_spans": False,
        "auto_configure": True,
        "exclude": is_z_page,
    }
