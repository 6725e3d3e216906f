from typing import Annotated

from bedplate.documents import Document
from bedplate.state import from_state
from gameserver.events import Events
from gameserver.layout import Layout
from gameserver.notifications.addresses import AddressRules
from gameserver.notifications.delivery import Patience
from gameserver.notifications.schemas import HookList
from gameserver.notifications.service import Notifications
from gameserver.settings import GameServerSettings

CurrentNotifications = Annotated[Notifications, from_state(Notifications)]


def open_notifications(
    settings: GameServerSettings, layout: Layout, events: Events
) -> Notifications:
    """Return the webhooks, which listen to the events while they are open."""
    document = Document(layout.state / "webhooks.json", HookList, default=HookList)
    rules = AddressRules(http=not settings.production, private=settings.webhook_private_addresses)
    patience = Patience(first=settings.webhook_retry_seconds)
    return Notifications(document, events, rules, patience)
