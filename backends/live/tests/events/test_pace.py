"""How often followers get results: hosts as often as ever, a full hall more rarely."""

import asyncio
from functools import partial

import pytest

from bedplate.realtime import ChannelFollower, Channels
from live.events.wiring import open_channels
from live.security import HOST, PARTICIPANT, SCREEN
from live.settings import LiveSettings


def pace(followers: int) -> float:
    """Return no time for one follower, and ten minutes for several."""
    return 0.001 if followers == 1 else 600


async def silent(follower: ChannelFollower) -> bool:
    """Return whether nothing comes for a while."""
    waiting = asyncio.create_task(anext(follower))
    done, _ = await asyncio.wait([waiting], timeout=0.1)
    waiting.cancel()
    return not done


@pytest.mark.parametrize("audience", [PARTICIPANT, SCREEN])
async def test_hosts_dont_wait_for_a_full_hall(
    settings: LiveSettings, monkeypatch: pytest.MonkeyPatch, audience: str
) -> None:
    """They get each result at the pace of one follower, whatever the others' pace is."""
    monkeypatch.setattr("live.events.wiring.Channels", partial(Channels, pace=pace))
    async with (
        open_channels(settings) as channels,
        channels.follow("hall", HOST) as host,
        channels.follow("hall", audience) as other,
    ):
        assert await silent(host)  # from here on they aren't new, which waits for nothing
        assert await silent(other)
        for version in (1, 2, 3):
            payload = b"%d" % version
            payloads = {HOST: payload, audience: payload}
            channels.set_latest("hall", "results", "results", version, payloads)
            async with asyncio.timeout(10):
                assert (await anext(host)).items[0].data == payload
        assert (await anext(other)).items[0].data == b"1"
        assert await silent(other)
