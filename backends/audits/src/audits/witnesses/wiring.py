"""Opens what sends checkpoints to witnesses."""

import contextlib
from collections.abc import AsyncIterator

import httpx2

from audits.settings import AuditsSettings
from audits.transparency.checkpoint import CosignatureVerifier
from audits.witnesses.client import Witness, Witnesses
from bedplate.database import Database


@contextlib.asynccontextmanager
async def open_witnesses(settings: AuditsSettings, database: Database) -> AsyncIterator[Witnesses]:
    """Yield the witnesses of the settings."""
    witnesses = [
        Witness(url.rstrip("/"), CosignatureVerifier(vkey))
        for url, _, vkey in (entry.partition(" ") for entry in settings.witnesses)
    ]
    async with (
        httpx2.AsyncClient(timeout=None, headers={"Accept-Encoding": "identity"}) as client,
        Witnesses(database, client, witnesses) as opened,
    ):
        yield opened
