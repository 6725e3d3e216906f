from uuid import UUID

import httpx2
from fastapi import APIRouter, Response

from bedplate.conditional import IfMatch, version_etag
from bedplate.documents import DocumentError
from bedplate.openapi import errors
from bedplate.problems import PreconditionFailed
from gameserver.notifications.delivery import DeliveryQueue
from gameserver.notifications.exceptions import HookNotFound, HookRefused, TooManyHooks
from gameserver.notifications.schemas import Delivery, Hook, HookNew, HookPatch
from gameserver.notifications.wiring import CurrentNotifications
from gameserver.security import CurrentAdmin, CurrentMonitor

router = APIRouter(prefix="/webhooks", tags=["notifications"])


@router.get("", summary="List webhooks")
async def list_webhooks(notifications: CurrentNotifications, _: CurrentMonitor) -> list[Hook]:
    """Return every webhook, the oldest first; a URL shows only scheme and host."""
    return [_to_response(queue) for queue in notifications.queues()]


@router.post(
    "",
    status_code=201,
    responses=errors(HookRefused, TooManyHooks, DocumentError),
    summary="Add a webhook",
)
async def add_webhook(
    new: HookNew, notifications: CurrentNotifications, response: Response, _: CurrentAdmin
) -> Hook:
    """Store a webhook. Only this response shows its secret."""
    return _answer(await notifications.add(new), response, secret=True)


@router.get("/{hook_id}", responses=errors(HookNotFound), summary="Get a webhook")
async def get_webhook(
    hook_id: UUID, notifications: CurrentNotifications, response: Response, _: CurrentMonitor
) -> Hook:
    """Return a webhook with its ETag."""
    return _answer(notifications.get(hook_id), response)


@router.patch(
    "/{hook_id}",
    responses=errors(HookNotFound, HookRefused, PreconditionFailed, DocumentError),
    summary="Change a webhook",
)
async def patch_webhook(
    hook_id: UUID,
    sent: HookPatch,
    notifications: CurrentNotifications,
    condition: IfMatch,
    response: Response,
    _: CurrentAdmin,
) -> Hook:
    """Change the fields that are sent. Only this response shows a new secret."""
    queue = await notifications.change(hook_id, sent, condition.versions())
    return _answer(queue, response, secret=sent.new_secret)


@router.delete(
    "/{hook_id}",
    status_code=204,
    responses=errors(HookNotFound, PreconditionFailed, DocumentError),
    summary="Delete a webhook",
)
async def delete_webhook(
    hook_id: UUID, notifications: CurrentNotifications, condition: IfMatch, _: CurrentAdmin
) -> None:
    """Delete a webhook and its queue."""
    await notifications.remove(hook_id, condition.versions())


@router.post(
    "/{hook_id}/test", status_code=202, responses=errors(HookNotFound), summary="Send a test"
)
async def send_test(
    hook_id: UUID, notifications: CurrentNotifications, _: CurrentAdmin
) -> Delivery:
    """Send a message that says it is a test; the deliveries show its outcome."""
    return notifications.test(hook_id)


@router.get(
    "/{hook_id}/deliveries", responses=errors(HookNotFound), summary="List the last deliveries"
)
async def list_deliveries(
    hook_id: UUID, notifications: CurrentNotifications, _: CurrentMonitor
) -> list[Delivery]:
    """Return the last deliveries since the manager started, the newest first."""
    return list(reversed(notifications.get(hook_id).deliveries))


def _answer(queue: DeliveryQueue, response: Response, *, secret: bool = False) -> Hook:
    response.headers["ETag"] = version_etag(queue.hook.version)
    shown = _to_response(queue)
    if secret and queue.hook.secret is not None:
        response.headers["Cache-Control"] = "no-store"
        shown.secret = queue.hook.secret.get_secret_value()
    return shown


def _to_response(queue: DeliveryQueue) -> Hook:
    hook = queue.hook
    url = httpx2.URL(hook.url.get_secret_value())
    return Hook(
        url=f"{url.scheme}://{url.netloc.decode()}/…",
        signed=hook.secret is not None,
        waiting=len(queue),
        dropped=queue.dropped,
        **hook.model_dump(exclude={"url", "secret"}),
    )
