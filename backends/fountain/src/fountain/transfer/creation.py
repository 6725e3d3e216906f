"""Creates resources over HTTP, none of them twice, however often the import is interrupted.

Resources are created in batches. When all of a batch are answered, their identifiers are saved.
After an interruption it is unknown which of the last batch exist. Then the service is asked for all
it has: those newer than what was saved, with the content that was sent, are the ones, since the
identifiers of a service grow.
"""

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bedplate.cli.exceptions import CommandError
from fountain.transfer.services import Service, ServiceUnreachable
from fountain.transfer.state import Created

BATCH_SIZE = 50
MAX_CONCURRENT = 8
MAX_FAILURES = 5
FIRST_PAUSE_SECONDS = 0.5

Body = Mapping[str, Any]


@dataclass(frozen=True)
class Kind:
    """What is created: where, the name of its identifier, and the members that are its content.

    in_order  one after the other, since their order matters
    own       the list has only resources of this import, so it needn't be read at the start
    """

    name: str
    service: Service
    path: str
    identifier: str
    members: tuple[str, ...]
    in_order: bool = False
    own: bool = False

    def content_of(self, resource: Body) -> str:
        """Return the content of a resource, for comparison."""
        return json.dumps([resource.get(member) for member in self.members])

    def identifier_of(self, resource: Any) -> int:
        """Return the identifier of a resource. Raises `CommandError` if it has none."""
        value = resource.get(self.identifier) if isinstance(resource, dict) else None
        if type(value) is not int:
            url = f"{self.service.url}{self.path}"
            raise CommandError(f"{url} answers without {self.identifier}: a wrong URL?")
        return value

    async def list(self) -> Sequence[Body]:
        """Return all resources that the service has."""
        answer = await self.service.get(self.path)
        return answer if isinstance(answer, list) else [answer]


@dataclass(frozen=True)
class Creation:
    """Creates the resources of one kind.

    created      those that exist already
    resumed      whether an earlier run was interrupted
    save         called after each batch
    on_progress  receives the number of further resources that exist
    """

    kind: Kind
    bodies: Sequence[Body]
    created: Created
    resumed: bool
    save: Callable[[], None]
    on_progress: Callable[[int], None]

    async def run(self) -> list[int]:
        """Create what is missing; return all identifiers. Raises `CommandError`."""
        identifiers = self.created.identifiers
        self.on_progress(len(identifiers))
        if self._missing() and self.resumed:
            await self._find()
        elif self._missing() and not self.kind.own:
            known = map(self.kind.identifier_of, await self.kind.list())
            self.created.after = max(known, default=0)
        self.save()
        failures = 0
        while missing := self._missing():
            failure = await self._create_batch(missing[:BATCH_SIZE])
            failures = failures + 1 if failure else 0
            if failure is None:
                self.created.after = max(identifiers.values())
            else:
                await self._recover(failure, failures)
            self.save()
        return [identifiers[index] for index in range(len(self.bodies))]

    async def _recover(self, failure: BaseException, failures: int) -> None:
        """Wait, then find what was created all the same. Raises a failure that doesn't pass."""
        if failures >= MAX_FAILURES or not isinstance(failure, ServiceUnreachable):
            self.save()
            raise failure
        await asyncio.sleep(FIRST_PAUSE_SECONDS * 2 ** (failures - 1))
        try:
            await self._find()
        except ServiceUnreachable as next_failure:
            await self._recover(next_failure, failures + 1)

    def _missing(self) -> list[int]:
        return [at for at in range(len(self.bodies)) if at not in self.created.identifiers]

    async def _create_batch(self, batch: Sequence[int]) -> BaseException | None:
        """Create some resources; return the first failure."""
        slots = asyncio.Semaphore(MAX_CONCURRENT)

        async def create(index: int) -> None:
            async with slots:
                answer = await self.kind.service.post(self.kind.path, self.bodies[index])
            self._add(index, self.kind.identifier_of(answer))

        for group in [[index] for index in batch] if self.kind.in_order else [batch]:
            outcomes = await asyncio.gather(*map(create, group), return_exceptions=True)
            if failure := next((outcome for outcome in outcomes if outcome is not None), None):
                return failure
        return None

    def _add(self, index: int, identifier: int) -> None:
        self.created.identifiers[index] = identifier
        self.on_progress(1)

    async def _find(self) -> None:
        """Find what was created but not answered."""
        known = set(self.created.identifiers.values())
        unknown: dict[str, list[int]] = {}
        newest_first = sorted(await self.kind.list(), key=self.kind.identifier_of, reverse=True)
        for resource in newest_first:
            identifier = self.kind.identifier_of(resource)
            if identifier > self.created.after and identifier not in known:
                unknown.setdefault(self.kind.content_of(resource), []).append(identifier)
        for index in self._missing():
            if identifiers := unknown.get(self.kind.content_of(self.bodies[index])):
                self._add(index, identifiers.pop())
