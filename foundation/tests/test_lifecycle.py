"""The two steps of a drain."""

import asyncio

from bedplate.lifecycle import Drain


async def test_readiness_turns_before_streams_end() -> None:
    """`begin(keep_streams=True)` says draining, and `begin()` ends the wait of streams."""
    drain = Drain()
    before = drain.draining
    stream = asyncio.ensure_future(drain.wait())
    drain.begin(keep_streams=True)
    await asyncio.sleep(0)
    assert (before, drain.draining) == (False, True)
    assert not stream.done()
    drain.begin()
    await stream
