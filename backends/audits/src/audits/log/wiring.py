"""Opens the chains and what signs them, and names what routes ask for."""

import asyncio
import contextlib
from base64 import b64decode
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Annotated

from fastapi import Path
from pydantic import SecretStr

from audits.log.chain import Chains
from audits.log.service import Announcer, Entries, LogKeys, Notary, Signing
from audits.settings import TENANT_PATTERN, AuditsSettings
from bedplate.database import Database, DatabaseUnavailable
from bedplate.jobs.background import Jobs
from bedplate.state import from_state

CurrentNotary = Annotated[Notary, from_state(Notary)]
CurrentEntries = Annotated[Entries, from_state(Entries)]
TenantPath = Annotated[str, Path(pattern=TENANT_PATTERN)]
"""The tenant in the path of its log."""


@contextlib.asynccontextmanager
async def open_notary(settings: AuditsSettings, database: Database) -> AsyncIterator[Notary]:
    """Yield what signs checkpoints with the keys of the settings."""
    yield Notary(database, log_keys(settings))


@contextlib.asynccontextmanager
async def open_signing(
    settings: AuditsSettings,
    database: Database,
    notary: Notary,
    witnesses: Announcer,
    jobs: Jobs,
) -> AsyncIterator[Signing]:
    """Yield what signs in the background; at the end, what grew since is signed."""
    interval = timedelta(seconds=settings.checkpoint_interval_seconds)
    signing = Signing(database, notary, witnesses, interval)
    task = jobs.start(signing.run(), name="audits_signing")
    try:
        yield signing
    finally:
        task.cancel()
        await asyncio.wait([task])
        with contextlib.suppress(DatabaseUnavailable):
            await signing.sign_grown()


@contextlib.asynccontextmanager
async def open_chains(signing: Signing) -> AsyncIterator[Chains]:
    """Yield the chains; each growth is signed soon after."""
    yield Chains(signing.grown)


def log_keys(settings: AuditsSettings) -> LogKeys:
    """Return the keys of the settings."""

    def seed(secret: SecretStr | None) -> bytes | None:
        return None if secret is None else b64decode(secret.get_secret_value())

    return LogKeys(
        settings.log_name,
        seed(settings.signing_key) or b"",
        seed(settings.previous_signing_key),
        seed(settings.ml_dsa_signing_key),
    )
