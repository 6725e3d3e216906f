"""Webhooks over HTTP: what is shown of them, and who may change them."""

from typing import Any

from fastapi import FastAPI

from bedplate.testing.client import Client, client
from gameserver.notifications.schemas import Hook

NEW = {"name": "Ops", "url": "https://hooks.example.org/services/T0/B0/top-secret"}


async def test_secrets_are_shown_once(api: Client, monitor: dict[str, str]) -> None:
    """The secret is in the answer to its making only, the URL's path never again."""
    made = await api.post("/webhooks", json=NEW)
    assert made.status_code == 201
    hook = made.json()
    assert hook["secret"].startswith("whsec_")
    place = f"/webhooks/{hook['id']}"
    listed = (await api.get("/webhooks", headers=monitor)).text
    one = await api.get(place)
    assert one.json()["url"] == "https://hooks.example.org/…"
    for text in (made.text, listed, one.text):
        assert "top-secret" not in text
    assert hook["secret"] not in listed + one.text
    renewed = await api.patch(place, json={"new_secret": True})
    assert renewed.json()["secret"] not in {None, hook["secret"]}


def test_every_response_has_a_version() -> None:
    """The OpenAPI document says that it is never left out."""
    assert "version" in Hook.model_json_schema()["required"]


async def test_versions(api: Client) -> None:
    """A webhook is changed only as the version its client knows; no change makes no version."""
    made = await api.post("/webhooks", json={**NEW, "format": "discord"})
    place = f"/webhooks/{made.json()['id']}"
    assert made.json()["secret"] is None
    seen = {"If-Match": made.headers["ETag"]}
    changed = await api.patch(place, json={"name": "New"}, headers=seen)
    assert (changed.status_code, changed.json()["name"]) == (200, "New")
    for nothing in ({}, {"name": "New", "url": NEW["url"]}):
        unchanged = await api.patch(place, json=nothing)
        assert (unchanged.status_code, unchanged.headers["ETag"]) == (200, changed.headers["ETag"])
    assert (await api.patch(place, json={"name": "X"}, headers=seen)).status_code == 412
    assert (await api.delete(place, headers=seen)).status_code == 412
    assert (await api.delete(place)).status_code == 204
    assert (await api.get(place)).status_code == 404


async def test_refused(api: Client) -> None:
    """Bad webhooks are refused without repeating their URL, and there is a bound."""
    changes: tuple[dict[str, object], ...] = (
        {"url": "https://127.0.0.1/top-secret"},
        {"url": "gopher://top-secret"},
        {"url": ""},
        {"url": "https://x/" + "top-secret" * 300},
        {"events": []},
        {"events": ["top-secret"]},
        {"name": "\u0000"},
        {"format": "slack"},
        {"secret": "x"},
    )
    for change in changes:
        refused = await api.post("/webhooks", json={**NEW, **change})
        assert refused.status_code == 422, change
        assert "top-secret" not in refused.text
    for _ in range(20):
        assert (await api.post("/webhooks", json=NEW)).status_code == 201
    assert (await api.post("/webhooks", json=NEW)).status_code == 409


async def test_monitor_only_looks(app: FastAPI, monitor: dict[str, str]) -> None:
    """The monitor key adds nothing and sends nothing."""
    async with client(app, headers=monitor) as api:
        assert (await api.get("/webhooks")).json() == []
        assert (await api.post("/webhooks", json=NEW)).status_code == 403


async def test_send_a_test(make_app: object, admin: dict[str, str], webhook_receiver: Any) -> None:
    """A test message arrives, and the list of deliveries tells so."""
    app = make_app(webhook_private_addresses=True)  # type: ignore[operator]
    with webhook_receiver.serving() as url:
        async with client(app, headers=admin) as api:
            made = (await api.post("/webhooks", json={**NEW, "url": f"{url}/x"})).json()
            place = f"/webhooks/{made['id']}"
            assert (await api.post(f"{place}/test")).status_code == 202
        assert b'"test"' in webhook_receiver.received[0].body
