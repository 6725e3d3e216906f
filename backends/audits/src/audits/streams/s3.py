"""Batches as objects in an S3-compatible store (extra `s3`)."""

import os
from datetime import timedelta
from typing import Final

from audits.streams.service import Batch, DeliveryFailed

_DIGITS: Final = 16


class S3Destination:
    """Puts each batch into an object that is named by its first and last sequence numbers.

    Region, endpoint and keys are the machine's own: its role, or the variables `AWS_REGION`,
    `AWS_ENDPOINT_URL`, `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY`. An endpoint that begins
    with http is used without TLS.
    """

    linger = timedelta(seconds=60)

    def __init__(self, url: str) -> None:
        """Create a client for `s3://bucket/prefix`, which sends no request yet."""
        from obstore.store import S3Store  # noqa: PLC0415 - an extra

        self._objects = S3Store.from_url(
            url,
            client_options={
                "allow_http": os.environ.get("AWS_ENDPOINT_URL", "").startswith("http://"),
                "connect_timeout": timedelta(seconds=5),
                "timeout": timedelta(seconds=20),
            },
            retry_config={"max_retries": 1, "retry_timeout": timedelta(seconds=20)},
        )

    async def deliver(self, batch: Batch) -> None:
        """Return when the object is stored. Raises `DeliveryFailed`."""
        from obstore.exceptions import BaseError  # noqa: PLC0415 - an extra

        numbers = f"{batch.first:0{_DIGITS}}-{batch.end - 1:0{_DIGITS}}"
        body = b"".join(line + b"\n" for line in batch.lines)
        try:
            await self._objects.put_async(f"{batch.tenant}/{numbers}.ndjson", body)
        except (BaseError, OSError) as error:
            # The error's own text may contain keys.
            raise DeliveryFailed(f"{type(error).__name__}.") from error
