import asyncio
import contextlib
from collections.abc import Collection
from typing import Final, Self
from uuid import UUID

import httpx2

from bedplate import clock, ids
from bedplate.documents import Document
from bedplate.problems import PreconditionFailed
from gameserver.events import Event, Events
from gameserver.notifications.addresses import AddressRules, CheckedTransport
from gameserver.notifications.delivery import DeliveryQueue, Patience
from gameserver.notifications.exceptions import HookNotFound, TooManyHooks
from gameserver.notifications.messages import Message, new_secret
from gameserver.notifications.schemas import Delivery, HookList, HookNew, HookPatch, HookRecord

MAX_HOOKS: Final = 20
FLUSH_SECONDS: Final = 5.0
_TEST: Final = "This is a test of the game-server manager's notifications."


class Notifications:
    """Webhooks, each with a queue of its own: a slow or failing receiver never affects the game.

    When it closes, waiting events have `FLUSH_SECONDS` to be delivered.
    """

    def __init__(
        self,
        document: Document[HookList],
        events: Events,
        rules: AddressRules,
        patience: Patience,
    ) -> None:
        self._document = document
        self._events = events
        self._rules = rules
        self._patience = patience
        self._queues: dict[UUID, DeliveryQueue] = {}
        self._writing = asyncio.Lock()
        self._client = httpx2.AsyncClient(
            transport=CheckedTransport(rules), follow_redirects=False, timeout=None
        )

    async def __aenter__(self) -> Self:
        """Read the webhooks, and listen to events. Raises `DamagedDocument`."""
        for hook in (await self._document.read()).hooks:
            self._add_queue(hook)
        self._ignore = self._events.listen(self._on_event)
        return self

    async def __aexit__(self, *_: object) -> None:
        """Flush the queues, for a bounded time, and close."""
        self._ignore()
        queues = list(self._queues.values())
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(FLUSH_SECONDS):
                await asyncio.gather(*(queue.flush() for queue in queues))
        for queue in queues:
            await queue.close()
        await self._client.aclose()

    def queues(self) -> list[DeliveryQueue]:
        """Return the queue of each webhook, the oldest first."""
        return list(self._queues.values())

    def get(self, hook_id: UUID) -> DeliveryQueue:
        """Return the queue of a webhook. Raises `HookNotFound`."""
        try:
            return self._queues[hook_id]
        except KeyError:
            raise HookNotFound from None

    def test(self, hook_id: UUID) -> Delivery:
        """Send a message that says it is a test."""
        return self.get(hook_id).put(Message(ids.uuid(), "test", _TEST, clock.now(), {}))

    async def add(self, new: HookNew) -> DeliveryQueue:
        """Store a webhook, and return its queue. Raises `HookRefused`, `TooManyHooks`."""
        self._rules.check_url(new.url.get_secret_value())
        async with self._writing:
            if len(self._queues) >= MAX_HOOKS:
                raise TooManyHooks(
                    f"There can't be more than {MAX_HOOKS} webhooks: remove one first."
                )
            hook = HookRecord(
                id=ids.uuid(),
                created_at=clock.now(),
                secret=new_secret(new.format),
                **dict(new),
            )
            await self._write({**self._records(), hook.id: hook})
            return self._add_queue(hook)

    async def change(
        self, hook_id: UUID, sent: HookPatch, versions: Collection[int] | None
    ) -> DeliveryQueue:
        """Change the sent fields; what the webhook is already makes no new version.

        Raises `HookNotFound`, `HookRefused`, `PreconditionFailed`.
        """
        if sent.url is not None:
            self._rules.check_url(sent.url.get_secret_value())
        async with self._writing:
            queue = self._of_version(hook_id, versions)
            changes = sent.model_dump(exclude={"new_secret"}, exclude_none=True)
            if sent.new_secret:
                changes["secret"] = new_secret(queue.hook.format)
            hook = queue.hook.model_copy(update=changes)
            if hook == queue.hook:
                return queue
            hook = hook.model_copy(update={"version": hook.version + 1})
            await self._write({**self._records(), hook_id: hook})
            queue.hook = hook
        return queue

    async def remove(self, hook_id: UUID, versions: Collection[int] | None) -> None:
        """Delete a webhook and its queue. Raises `HookNotFound`, `PreconditionFailed`."""
        async with self._writing:
            self._of_version(hook_id, versions)
            records = self._records()
            del records[hook_id]
            await self._write(records)
            queue = self._queues.pop(hook_id)
        await queue.close()

    def _of_version(self, hook_id: UUID, versions: Collection[int] | None) -> DeliveryQueue:
        queue = self.get(hook_id)
        if versions is not None and queue.hook.version not in versions:
            raise PreconditionFailed
        return queue

    def _records(self) -> dict[UUID, HookRecord]:
        return {queue.hook.id: queue.hook for queue in self._queues.values()}

    async def _write(self, records: dict[UUID, HookRecord]) -> None:
        await self._document.write(HookList(hooks=list(records.values())))

    def _add_queue(self, hook: HookRecord) -> DeliveryQueue:
        queue = self._queues[hook.id] = DeliveryQueue(hook, self._client, self._patience)
        return queue

    def _on_event(self, event: Event) -> None:
        for queue in self._queues.values():
            if queue.hook.enabled and event.kind in queue.hook.events:
                queue.put(Message(ids.uuid(), event.kind, event.text, event.at, event.facts))
