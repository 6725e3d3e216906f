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
