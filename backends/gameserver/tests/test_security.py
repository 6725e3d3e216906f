"""Keys, and those who guess them."""

from bedplate.testing.client import Client


async def test_who_guesses_keys_is_locked_out(api: Client) -> None:
    """After thirty wrong keys in a minute an address gets 429; the right key still passes."""
    statuses = [
        (await api.get("/server", headers={"X-API-Key": f"guess-{number}"})).status_code
        for number in range(32)
    ]
    assert statuses == [401] * 30 + [429] * 2
    assert (await api.get("/server")).status_code == 200


async def test_stop_and_kill_have_no_budget(api: Client) -> None:
    """Whatever a script has sent before them, they work; wrong keys are still counted."""
    statuses = [(await api.post("/server/restart", json=5)).status_code for _ in range(301)]
    assert statuses == [422] * 300 + [429]
    assert (await api.post("/server/stop")).status_code == 202
    assert (await api.post("/server/kill")).status_code == 200
    guesses = [
        (await api.post("/server/kill", headers={"X-API-Key": "guess"})).status_code
        for _ in range(31)
    ]
    assert guesses == [401] * 30 + [429]
