"""Opens the streams of the settings."""

import contextlib
import ssl
from base64 import b64decode
from collections.abc import AsyncIterator
from typing import Annotated, Final
from urllib.parse import urlsplit

import httpx2

from audits.settings import AuditsSettings, StreamConfig
from audits.streams.https import HTTPSDestination
from audits.streams.s3 import S3Destination
from audits.streams.service import Destination, Stream, Streams
from audits.streams.syslog import SyslogDestination
from bedplate.database import Database
from bedplate.observability.metrics import RequestMetrics
from bedplate.settings import SettingsError
from bedplate.state import from_state

_SYSLOG_PORT: Final = 6514
_SECONDS: Final = 10.0

CurrentStreams = Annotated[Streams, from_state(Streams)]


@contextlib.asynccontextmanager
async def open_streams(
    settings: AuditsSettings, database: Database, metrics: RequestMetrics
) -> AsyncIterator[Streams]:
    """Yield the streams, which send meanwhile. Raises `SettingsError` where one can't work."""
    async with httpx2.AsyncClient(timeout=_SECONDS, follow_redirects=False) as client:
        found = [
            Stream(config, _destination(settings, config, client)) for config in settings.streams
        ]
        async with Streams(database, found) as streams:
            metrics.register_gauge(
                "audits_stream_lag_records",
                "Events that a stream has still to send",
                ["stream"],
                streams.lag,
            )
            yield streams


def _destination(
    settings: AuditsSettings, config: StreamConfig, client: httpx2.AsyncClient
) -> Destination:
    parts = urlsplit(config.url)
    if parts.scheme == "s3":
        try:
            return S3Destination(config.url)
        except ImportError:
            raise SettingsError(
                f"The stream {config.name} needs the extra s3: pip install 'audits[s3]'"
            ) from None
    if parts.scheme == "syslog+tls":
        try:
            tls = ssl.create_default_context(cafile=settings.stream_ca_file)
        except OSError as error:
            variable, reason = settings.variable("stream_ca_file"), error.strerror
            raise SettingsError(f"{variable} can't be used: {reason}.") from None
        return SyslogDestination(parts.hostname or "", parts.port or _SYSLOG_PORT, tls)
    secret = settings.stream_secret
    encoded = secret.get_secret_value().removeprefix("whsec_") if secret else ""
    return HTTPSDestination(client, config.url, b64decode(encoded))
