"""What routes ask for."""

from typing import Annotated, Final

from fastapi import Depends, Path, Request

from gameserver.mods.library import ModLibrary
from gameserver.mods.schemas import ModId
from gameserver.operations.dependencies import Accepted, CurrentOperations
from gameserver.operations.schemas import Operation, OperationKind
from gameserver.operations.service import Work
from gameserver.security import CurrentAdmin

_NOT_BESIDE: Final = (
    OperationKind.MODS,
    OperationKind.BACKUP,
    OperationKind.RESTORE,
    OperationKind.SWITCH,
)

ThisMod = Annotated[ModId, Path(description="The mod's id")]


def current_mods(request: Request) -> ModLibrary:
    """Return the mods of this server."""
    mods: ModLibrary = request.state.mods
    return mods


CurrentMods = Annotated[ModLibrary, Depends(current_mods)]


class ModWork:
    """Begins long work on mods for the admin who asks; `by` is who that is."""

    def __init__(
        self, operations: CurrentOperations, admin: CurrentAdmin, accepted: Accepted
    ) -> None:
        self.by = admin.id
        self._operations = operations
        self._accepted = accepted

    async def change(self, work: Work) -> Operation:
        """Return the operation that changes mods. Raises `OperationInProgress`."""
        return await self._begin(work, _NOT_BESIDE)

    async def look(self, work: Work) -> Operation:
        """Return the operation that changes nothing, and so may run beside any other."""
        return await self._begin(work, ())

    async def _begin(self, work: Work, not_beside: tuple[OperationKind, ...]) -> Operation:
        return self._accepted(
            await self._operations.start(
                OperationKind.MODS, work, by=self.by, not_beside=not_beside
            )
        )


CurrentModWork = Annotated[ModWork, Depends()]
