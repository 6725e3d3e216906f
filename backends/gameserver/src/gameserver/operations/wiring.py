import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request, Response

from bedplate.documents import Document
from bedplate.jobs.background import Jobs
from bedplate.state import from_state
from gameserver.layout import Layout
from gameserver.operations.schemas import Operation, OperationLog
from gameserver.operations.service import Operations

CurrentOperations = Annotated[Operations, from_state(Operations)]


@contextlib.asynccontextmanager
async def open_operations(layout: Layout) -> AsyncIterator[Operations]:
    """Yield the operations; what an earlier manager did not finish has failed.

    On leaving, those in progress get 10 seconds, then are interrupted.
    """
    document = Document(layout.state / "operations.json", OperationLog, default=OperationLog)
    async with Jobs(stop_seconds=10.0) as jobs:
        operations = Operations(document, jobs)
        await operations.recover()
        yield operations


@dataclass
class Acceptance:
    """Responds to a request whose work continues: 202, and the URL of its operation."""

    request: Request
    response: Response

    def __call__(self, operation: Operation) -> Operation:
        """Name the operation in `Location` (RFC 9110, section 15.3.3), and return it."""
        root = self.request.scope.get("root_path", "")
        self.response.headers["Location"] = f"{root}/operations/{operation.id}"
        return operation


Accepted = Annotated[Acceptance, Depends()]
"""`async def make_backup(…, accepted: Accepted) -> Operation: return accepted(await …)`"""
