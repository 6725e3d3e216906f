"""Serves one contender with uvicorn, as wrk needs it: NAME PORT DATABASE_URL REDIS_URL."""

import asyncio
import sys

import uvicorn
import uvloop

from benchmarks.contender import Servers, build


async def serve(name: str, port: int, servers: Servers) -> None:
    """Serve until a signal comes; uvicorn writes no access log, the contender may."""
    contender = await build(name, servers)
    config = uvicorn.Config(
        contender.app, host="127.0.0.1", port=port, log_level="warning", access_log=False
    )
    await uvicorn.Server(config).serve()


def main() -> None:
    """Read the command line; a SIGTERM is an ordinary end."""
    name, port, database_url, redis_url = sys.argv[1:]
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(serve(name, int(port), Servers(database_url, redis_url)))


if __name__ == "__main__":
    main()
