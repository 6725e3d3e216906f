"""API keys: the admin key allows everything, the monitor key only reading."""

import contextlib
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Annotated

from fastapi import Depends, Security

from bedplate.auth import Guard, Principal
from bedplate.auth.api_keys import APIKeyEntry, APIKeys
from bedplate.auth.guard import API_KEY
from bedplate.backend import CORSPolicy
from bedplate.rate_limits import Budget, RateLimit
from gameserver.settings import GameServerSettings

ADMIN = "admin"
MONITOR = "monitor"

rate_limit = RateLimit(read=Budget(1200), write=Budget(300), failed_proofs=Budget(30))
cors = CORSPolicy(allow_credentials=False)
guard = Guard(
    rate_limit=rate_limit,
    scopes=[MONITOR],
    model=API_KEY,
    scheme_name="api_key",
    challenge="APIKey",
)

_always = replace(
    guard.requiring(ADMIN), rate_limit=RateLimit(read=None, write=None, failed_proofs=Budget(30))
)

CurrentMonitor = Annotated[Principal, Depends(guard)]
"""The holder of either key."""

CurrentAdmin = Annotated[Principal, Security(guard.requiring(ADMIN), scopes=[ADMIN])]
"""The holder of the admin key. `scopes` documents the role and its 403 in OpenAPI."""


AdminAtAnyTime = Annotated[Principal, Security(_always, scopes=[ADMIN])]
"""The holder of the admin key, for what has to work whatever else was sent: stop and kill."""


@contextlib.asynccontextmanager
async def open_verifier(settings: GameServerSettings) -> AsyncIterator[APIKeys]:
    """Yield the verifier of the two keys."""
    yield APIKeys(
        [
            APIKeyEntry("admin", settings.admin_key, frozenset({ADMIN, MONITOR})),
            APIKeyEntry("monitor", settings.monitor_key, frozenset({MONITOR})),
        ]
    )
