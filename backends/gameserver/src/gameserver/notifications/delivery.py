import asyncio
from collections import deque
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Final

import httpx2
import structlog

from bedplate import clock
from gameserver.notifications.addresses import AddressRefused
from gameserver.notifications.messages import Message, body_of, headers_of
from gameserver.notifications.schemas import Delivery, DeliveryState, HookRecord

MAX_WAITING: Final = 100
KEPT_DELIVERIES: Final = 50
CALL_SECONDS: Final = 10.0
MAX_RETRY_AFTER_SECONDS: Final = 600.0
_TRY_AGAIN: Final = frozenset({408, 425, 429, 500, 502, 503, 504})
_DROPPED: Final = "Too many events were waiting."


@dataclass(frozen=True)
class Patience:
    """How often a call is tried, and how long to wait: `first` seconds, doubled each time."""

    tries: int = 6
    first: float = 1.0
    max_seconds: float = 60.0

    def pause(self, attempt: int) -> float:
        """Return the seconds after the given attempt, which count from 1."""
        return min(self.first * 2.0 ** (attempt - 1), self.max_seconds)


class DeliveryQueue:
    """Delivers events to one webhook, one after the other, with retries; the queue is bounded."""

    def __init__(self, hook: HookRecord, client: httpx2.AsyncClient, patience: Patience) -> None:
        self.hook = hook
        self.dropped = 0
        self.deliveries: deque[Delivery] = deque(maxlen=KEPT_DELIVERIES)
        self._client = client
        self._patience = patience
        self._waiting: deque[tuple[Message, Delivery]] = deque()
        self._task: asyncio.Task[None] | None = None

    def __len__(self) -> int:
        """Return how many events wait, including the one under way."""
        return len(self._waiting)

    def put(self, message: Message) -> Delivery:
        """Queue an event without waiting; a full queue drops the oldest that isn't under way."""
        delivery = Delivery(id=message.id, event=message.kind, at=clock.now())
        self.deliveries.append(delivery)
        self._waiting.append((message, delivery))
        if len(self._waiting) > MAX_WAITING:
            _, oldest = self._waiting[1]  # the first is under way
            del self._waiting[1]
            self.dropped += 1
            _end(oldest, DeliveryState.FAILED, _DROPPED)
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._work(), name=f"webhook {self.hook.id}")
        return delivery

    async def flush(self) -> None:
        """Wait until the queue is empty."""
        if self._task is not None:
            await asyncio.wait({self._task})

    async def close(self) -> None:
        """Drop the waiting events."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task})

    async def _work(self) -> None:
        while self._waiting:
            await self._deliver(*self._waiting[0])
            self._waiting.popleft()

    async def _deliver(self, message: Message, delivery: Delivery) -> None:
        for attempt in range(1, self._patience.tries + 1):
            delivery.attempts = attempt
            pause = await self._try(message, delivery)
            if pause is None:
                return
            if attempt < self._patience.tries:
                await asyncio.sleep(pause)
        _end(delivery, DeliveryState.FAILED, delivery.error)

    async def _try(self, message: Message, delivery: Delivery) -> float | None:
        """Call once; return the seconds until the next try, or None once the delivery has ended."""
        pause = self._patience.pause(delivery.attempts)
        try:
            body = body_of(self.hook, message)
            headers = headers_of(self.hook, message, body, clock.now())
            url = self.hook.url.get_secret_value()
            async with (
                asyncio.timeout(CALL_SECONDS),
                self._client.stream("POST", url, content=body, headers=headers) as response,
            ):
                pass  # only the status counts
        except AddressRefused as error:
            _end(delivery, DeliveryState.FAILED, str(error))
            return None
        except TimeoutError:
            delivery.error = f"The receiver did not answer within {CALL_SECONDS:.0f} s."
            return pause
        except httpx2.HTTPError as error:
            delivery.error = f"The receiver could not be called ({type(error).__name__})."
            return pause
        except Exception as error:  # noqa: BLE001 - a delivery must not end the queue
            structlog.get_logger().error("webhook_failed", hook=str(self.hook.id), exc_info=error)
            _end(delivery, DeliveryState.FAILED, "It failed unexpectedly; the log says more.")
            return None
        return self._judge(response, delivery, pause)

    def _judge(self, response: httpx2.Response, delivery: Delivery, pause: float) -> float | None:
        delivery.status = response.status_code
        delivery.error = f"The receiver answered {response.status_code}."
        if response.status_code in _TRY_AGAIN:
            return max(pause, retry_after(response.headers.get("retry-after"), clock.now()))
        if response.is_success:
            _end(delivery, DeliveryState.DELIVERED, None)
        elif response.is_redirect:
            text = "The receiver redirects; redirects are not followed."
            _end(delivery, DeliveryState.FAILED, text)
        else:
            _end(delivery, DeliveryState.FAILED, delivery.error)
        return None


def retry_after(header: str | None, now: datetime) -> float:
    """Return the seconds that `Retry-After` (RFC 9110, section 10.2.3) asks for, bounded."""
    if header is None:
        return 0.0
    if header.isascii() and header.isdigit():
        seconds = float(header[:6])
    else:
        try:
            seconds = (parsedate_to_datetime(header) - now).total_seconds()
        except (ValueError, TypeError):
            return 0.0
    return min(max(seconds, 0.0), MAX_RETRY_AFTER_SECONDS)


def _end(delivery: Delivery, state: DeliveryState, error: str | None) -> None:
    delivery.state, delivery.error = state, error
    delivery.ended_at = clock.now()
