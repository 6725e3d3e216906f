"""OpenTelemetry, on and off."""

import importlib.util
import subprocess
import sys
from dataclasses import dataclass

import pytest
from fastapi import FastAPI

from bedplate.observability.telemetry import telemetry_options
from bedplate.settings import SettingsError


@dataclass(frozen=True)
class Wanted:
    """Settings that say whether OpenTelemetry is wanted."""

    otel_enabled: bool


def test_off() -> None:
    """When it isn't wanted, FastAPI is told so in its own words."""
    app = FastAPI(**telemetry_options(Wanted(otel_enabled=False)))
    assert not app._native_telemetry.enabled()


def test_off_imports_nothing() -> None:
    """When it isn't wanted, no SDK is imported."""
    program = (
        "import sys, bedplate.observability.telemetry as t, types;"
        "t.telemetry_options(types.SimpleNamespace(otel_enabled=False));"
        "assert not [m for m in sys.modules if m.startswith('opentelemetry.sdk')]"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)


@pytest.mark.skipif(
    importlib.util.find_spec("opentelemetry.sdk") is not None, reason="the SDK is installed"
)
def test_not_installed() -> None:
    """When it is wanted and missing, the error says how to get it."""
    with pytest.raises(SettingsError, match=r"pip install 'fastapi\[opentelemetry\]'"):
        telemetry_options(Wanted(otel_enabled=True))
