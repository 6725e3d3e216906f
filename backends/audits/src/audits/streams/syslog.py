"""Batches as syslog messages (RFC 5424) over TLS (RFC 5425)."""

import asyncio
import socket
import ssl
from datetime import UTC, timedelta
from typing import Final

from audits.streams.service import Batch, DeliveryFailed
from bedplate.database import Row

_SECONDS: Final = 10.0
_LOG_AUDIT: Final = 13
_INFORMATIONAL: Final = 6
_PRIORITY: Final = _LOG_AUDIT * 8 + _INFORMATIONAL
_APP_NAME: Final = "bedplate-audits"


class SyslogDestination:
    """Sends each batch over a connection of its own.

    Syslog has no acknowledgement. So a batch counts as delivered when the receiver answers our
    close_notify with its own, as RFC 5425 demands: by then it has read everything.
    """

    linger = timedelta(0)

    def __init__(self, host: str, port: int, tls: ssl.SSLContext) -> None:
        self._host = host
        self._port = port
        # Some builds of Python take a connection that was cut for one that was closed.
        tls.options &= ~ssl.OP_IGNORE_UNEXPECTED_EOF
        self._tls = tls
        self._own_name = _printable(socket.gethostname(), 255)

    async def deliver(self, batch: Batch) -> None:
        """Return when the receiver has read the batch. Raises `DeliveryFailed`."""
        frames = bytearray()
        for event, line in zip(batch.events, batch.lines, strict=True):
            message = self._message(event, line)
            frames += b"%d %b" % (len(message), message)
        try:
            await asyncio.to_thread(self._send, bytes(frames))
        except ssl.SSLEOFError as error:
            raise DeliveryFailed("The receiver closed without close_notify.") from error
        except OSError as error:
            raise DeliveryFailed(f"{type(error).__name__}.") from error

    def _send(self, frames: bytes) -> None:
        # In a thread, since asyncio doesn't tell a close_notify from a connection that was cut.
        address = (self._host, self._port)
        with (
            socket.create_connection(address, timeout=_SECONDS) as plain,
            self._tls.wrap_socket(plain, server_hostname=self._host) as connection,
        ):
            connection.sendall(frames)
            connection.unwrap()

    def _message(self, event: Row, line: bytes) -> bytes:
        time = event["recorded_at"].astimezone(UTC).isoformat(timespec="microseconds")
        head = (
            f"<{_PRIORITY}>1 {time.replace('+00:00', 'Z')} {self._own_name} {_APP_NAME} - "
            f"{event['action_type']} - "
        )
        return head.encode() + line


def _printable(text: str, length: int) -> str:
    """Return a header field: visible ASCII, or a hyphen."""
    return "".join(each for each in text if "!" <= each <= "~")[:length] or "-"
