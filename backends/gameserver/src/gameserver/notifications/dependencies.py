"""What routes ask for."""

from typing import Annotated

from fastapi import Depends, Request

from gameserver.notifications.notifications import Notifications


def current_notifications(request: Request) -> Notifications:
    """Return the notifications of this process."""
    notifications: Notifications = request.state.notifications
    return notifications


CurrentNotifications = Annotated[Notifications, Depends(current_notifications)]
