"""The receiver that the tests of webhooks send to."""

from typing import Any

import httpx2


def test_it_remembers_what_it_was_sent(webhook_receiver: Any) -> None:
    """Path, headers and body of each delivery are kept in order; it can refuse too."""
    with webhook_receiver.serving() as url, httpx2.Client(base_url=url, timeout=60) as web:
        assert web.post("/hook", content=b"one", headers={"X-A": "b"}).status_code == 204
        webhook_receiver.fault_modes.status = 500
        assert web.post("/hook", content=b"two").status_code == 500
    assert [(each.path, each.body) for each in webhook_receiver.received] == [("/hook", b"one")]
    assert webhook_receiver.received[0].headers["x-a"] == "b"
