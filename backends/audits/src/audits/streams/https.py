"""Batches over HTTPS, signed as Standard Webhooks are (https://www.standardwebhooks.com)."""

import hmac
from base64 import b64encode
from datetime import timedelta

import httpx2

from audits.streams.service import Batch, DeliveryFailed
from bedplate import clock


class HTTPSDestination:
    """Sends each batch as lines of JSON; any 2xx means that it arrived.

    `webhook-id` names the batch by its first and last sequence numbers: a receiver that knows it
    already has it. `webhook-signature` is an HMAC-SHA256 over id, time and body.
    """

    linger = timedelta(0)

    def __init__(self, client: httpx2.AsyncClient, url: str, secret: bytes) -> None:
        self._client = client
        self._url = url
        self._secret = secret

    async def deliver(self, batch: Batch) -> None:
        """Return when the receiver answered with a 2xx. Raises `DeliveryFailed`."""
        body = b"".join(line + b"\n" for line in batch.lines)
        message_id = f"{batch.tenant}-{batch.first}-{batch.end - 1}"
        seconds = str(int(clock.now().timestamp()))
        signed = f"{message_id}.{seconds}.".encode() + body
        signature = b64encode(hmac.digest(self._secret, signed, "sha256")).decode()
        headers = {
            "Content-Type": "application/x-ndjson",
            "webhook-id": message_id,
            "webhook-timestamp": seconds,
            "webhook-signature": f"v1,{signature}",
        }
        try:
            # The body of the answer is not read: it may be endless.
            async with self._client.stream(
                "POST", self._url, content=body, headers=headers
            ) as answer:
                status, arrived = answer.status_code, answer.is_success
        except httpx2.HTTPError as error:
            raise DeliveryFailed(f"{type(error).__name__}.") from error
        if not arrived:
            raise DeliveryFailed(f"It answers {status}.")
