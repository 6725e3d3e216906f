"""Shows where a case's time goes: `python -m benchmarks.profile CONTENDER CASE`."""

import argparse
import asyncio
import cProfile
import pstats

import uvloop

from benchmarks import cases
from benchmarks.client import AsgiClient
from benchmarks.contender import BUILDERS, Servers, build
from benchmarks.harness import run_round, warm_up
from benchmarks.options import Amount
from benchmarks.seed import seed
from benchmarks.servers import running_servers

_REQUESTS = 300


async def profile(name: str, case: str, servers: Servers) -> cProfile.Profile:
    """Return the profile of some hundred requests after warm-up."""
    contender = await build(name, servers)
    async with AsgiClient(contender.app) as client:
        await warm_up(client, contender)
        profiler = cProfile.Profile()
        profiler.enable()
        await run_round(client, contender.cases[case], _REQUESTS)
        profiler.disable()
        return profiler


def main() -> None:
    """Read the command line, measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("contender", choices=BUILDERS)
    parser.add_argument("case", choices=(*cases.NAMES, cases.TRIVIAL))
    parser.add_argument("--sort", choices=("tottime", "cumulative"), default="tottime")
    parser.add_argument("--lines", type=int, default=40)
    options = parser.parse_args()
    with (
        running_servers() as servers,
        asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner,
    ):
        runner.run(seed(servers.database_url, Amount.quick().crowd))
        profiler = runner.run(profile(options.contender, options.case, servers))
    pstats.Stats(profiler).sort_stats(options.sort).print_stats(options.lines)


if __name__ == "__main__":
    main()
