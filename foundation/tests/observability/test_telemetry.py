"""OpenTelemetry, on and off."""

import gzip
import os
import subprocess
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import ClassVar

import pytest
from fastapi import FastAPI

from bedplate.observability.telemetry import telemetry_options
from bedplate.settings import SettingsError


def test_off() -> None:
    """When it isn't wanted, FastAPI is switched off in its own way."""
    app = FastAPI(telemetry=telemetry_options(enabled=False))
    assert not app._native_telemetry.enabled()


def test_off_imports_nothing() -> None:
    """When it isn't wanted, no SDK is imported."""
    program = (
        "import sys, bedplate.observability.telemetry as t;"
        "t.telemetry_options(enabled=False);"
        "assert not [m for m in sys.modules if m.startswith('opentelemetry.sdk')]"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)


class _NoSDK:
    """Stands first among the finders, and knows no SDK."""

    def find_spec(self, name: str, *_: object) -> None:
        """Refuse the SDK as an import of what isn't installed would."""
        if name.startswith("opentelemetry.sdk"):
            raise ModuleNotFoundError(name)


def test_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """When it is wanted and missing, the error says how to get it."""
    monkeypatch.setattr(sys, "meta_path", [_NoSDK(), *sys.meta_path])
    for name in [name for name in sys.modules if name.startswith("opentelemetry.sdk")]:
        monkeypatch.delitem(sys.modules, name)
    with pytest.raises(SettingsError, match=r"pip install 'bedplate\[otel\]'"):
        telemetry_options(enabled=True)


_TRACED = """
import asyncio
import sys
from fastapi import APIRouter
from bedplate.backend import Backend
from bedplate.composition import compose
from bedplate.settings import Settings
from bedplate.testing.client import client

router = APIRouter()

@router.get("/items/{item_id}")
async def item(item_id: int) -> int:
    return item_id

async def main() -> None:
    names = sys.argv[1:]
    backends = [Backend(name=n, title=n, settings=Settings, routers=[router]) for n in names]
    app = compose(backends, {name: Settings(otel_enabled=True) for name in names})
    async with client(app) as api:
        for prefix in [f"/{name}" for name in names] if len(names) > 1 else [""]:
            assert (await api.get(f"{prefix}/items/7")).json() == 7
            assert (await api.get(f"{prefix}/healthz")).status_code == 200

asyncio.run(main())
"""


class _Collector(BaseHTTPRequestHandler):
    """Keeps what is exported to it."""

    received: ClassVar[list[tuple[str, bytes]]] = []

    def do_POST(self) -> None:
        """Take one export."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        body = gzip.decompress(body) if self.headers["Content-Encoding"] == "gzip" else body
        self.received.append((self.path, body))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def received() -> list[tuple[str, bytes]]:
    """Return what has been exported to the collector, which is empty at first."""
    _Collector.received.clear()
    return _Collector.received


@pytest.mark.parametrize("names", [["one"], ["one", "two"]], ids=len)
def test_on_exports_requests_without_z_pages(
    names: list[str], received: list[tuple[str, bytes]]
) -> None:
    """When it is wanted, requests of one or several backends are exported, and probes aren't."""
    with HTTPServer(("127.0.0.1", 0), _Collector) as collector:
        Thread(target=collector.serve_forever, daemon=True).start()
        endpoint = f"http://127.0.0.1:{collector.server_port}"
        environment = {**os.environ, "OTEL_EXPORTER_OTLP_ENDPOINT": endpoint}
        program = [sys.executable, "-c", _TRACED, *names]
        subprocess.run(program, check=True, timeout=60, env=environment)
        collector.shutdown()
    traces = b"".join(body for path, body in received if path == "/v1/traces")
    assert traces.count(b"/items/{item_id}") >= len(names)
    assert b"healthz" not in traces
    assert any(path == "/v1/metrics" for path, _ in received)
