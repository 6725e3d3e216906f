"""Things made over HTTP so that none is made twice, however often the maker is cut off.

Things are made in waves. When all of a wave have answered, their identifiers are saved. After a cut
it is unknown which of the last wave were made: then the service is asked for all it has, and those
that are newer than what is saved, and have the content that was asked for, are the ones.
Identifiers of a service grow.
"""

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bedplate.cli.exceptions import CommandError
from fountain.transfer.services import Service, Unavailable
from fountain.transfer.state import Made

WAVE = 50
AT_ONCE = 8
ATTEMPTS = 5
FIRST_PAUSE_SECONDS = 0.5

Body = Mapping[str, Any]


@dataclass(frozen=True)
class Kind:
    """What is made: where, what its identifier is called, and which members tell two apart."""

    name: str
    service: Service
    path: str
    identifier: str
    members: tuple[str, ...]
    in_order: bool = False
    """One after the other, since their order matters."""
    own: bool = False
    """The list has only things of this import, so that it needn't be read at the start."""

    def key(self, thing: Body) -> str:
        """Return the content of a thing, comparable."""
        return json.dumps([thing.get(member) for member in self.members])


class Making:
    """Makes the things of one kind."""

    def __init__(
        self,
        kind: Kind,
        bodies: Sequence[Body],
        made: Made | None,
        save: Callable[[Made], None],
        advance: Callable[[int], None],
    ) -> None:
        self._kind = kind
        self._bodies = bodies
        self._begun = made is not None
        self._made = made or Made()
        self._save = save
        self._advance = advance

    async def run(self) -> list[int]:
        """Make what is missing; return the identifiers of all. Raises `CommandError`."""
        self._advance(len(self._made.identifiers))
        if self._missing() and self._begun:
            await self._find()
        elif self._missing() and not self._kind.own:
            self._made.after = max(map(self._identifier, await self._all()), default=0)
        self._save(self._made)
        failures = 0
        while missing := self._missing():
            failure = await self._wave(missing[:WAVE])
            failures = failures + 1 if failure else 0
            if failure is None:
                self._made.after = max(self._made.identifiers.values())
            else:
                await self._recover(failure, failures)
            self._save(self._made)
        return [self._made.identifiers[at] for at in range(len(self._bodies))]

    async def _recover(self, failure: BaseException, failures: int) -> None:
        """Wait, and find what was made all the same. Raises the failure when it won't go away."""
        if failures >= ATTEMPTS or not isinstance(failure, Unavailable):
            self._save(self._made)
            raise failure
        await asyncio.sleep(FIRST_PAUSE_SECONDS * 2 ** (failures - 1))
        try:
            await self._find()
        except Unavailable as still:
            await self._recover(still, failures + 1)

    def _missing(self) -> list[int]:
        return [at for at in range(len(self._bodies)) if at not in self._made.identifiers]

    async def _wave(self, wave: Sequence[int]) -> BaseException | None:
        """Make some; return the first failure."""
        if self._kind.in_order:
            return await self._make_in_order(wave)
        places = asyncio.Semaphore(AT_ONCE)

        async def make(at: int) -> None:
            async with places:
                await self._make(at)

        outcomes = await asyncio.gather(*map(make, wave), return_exceptions=True)
        return next((one for one in outcomes if one is not None), None)

    async def _make_in_order(self, wave: Sequence[int]) -> BaseException | None:
        for at in wave:
            try:
                await self._make(at)
            except CommandError as error:
                return error
        return None

    async def _make(self, at: int) -> None:
        answer = await self._kind.service.post(self._kind.path, self._bodies[at])
        self._made.identifiers[at] = self._identifier(answer)
        self._advance(1)

    async def _find(self) -> None:
        """Find what was made and not answered."""
        known = set(self._made.identifiers.values())
        unknown: dict[str, list[int]] = {}
        for thing in sorted(await self._all(), key=self._identifier, reverse=True):
            identifier = self._identifier(thing)
            if identifier > self._made.after and identifier not in known:
                unknown.setdefault(self._kind.key(thing), []).append(identifier)
        for at in self._missing():
            if found := unknown.get(self._kind.key(self._bodies[at])):
                self._made.identifiers[at] = found.pop()
                self._advance(1)

    async def _all(self) -> list[Body]:
        found = await self._kind.service.get(self._kind.path)
        return found if isinstance(found, list) else [found]

    def _identifier(self, thing: Any) -> int:
        found = thing.get(self._kind.identifier) if isinstance(thing, dict) else None
        if type(found) is not int:
            url = f"{self._kind.service.url}{self._kind.path}"
            raise CommandError(f"{url} answers without {self._kind.identifier}: a wrong URL?")
        return found
