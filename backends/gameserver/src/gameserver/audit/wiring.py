import contextlib
from collections.abc import AsyncIterator
from typing import Annotated

from bedplate.state import from_state
from gameserver.audit.service import Audit
from gameserver.layout import Layout

CurrentAudit = Annotated[Audit, from_state(Audit)]


@contextlib.asynccontextmanager
async def open_audit(layout: Layout) -> AsyncIterator[Audit]:
    """Yield the log of who did what."""
    yield Audit(layout.audit)
