"""The stand-in that takes webhooks."""

import httpx2

from gameserver.stand_ins.webhook_receiver import WebhookReceiver


def test_it_remembers_what_it_was_sent() -> None:
    """Path, headers and body of each delivery are kept in order; it can refuse too."""
    receiver = WebhookReceiver()
    with receiver.serving() as url, httpx2.Client(base_url=url, timeout=60) as web:
        assert web.post("/hook", content=b"one", headers={"X-A": "b"}).status_code == 204
        receiver.manners.status = 500
        assert web.post("/hook", content=b"two").status_code == 500
    assert [(each.path, each.body) for each in receiver.received] == [("/hook", b"one")]
    assert receiver.received[0].headers["x-a"] == "b"
