"""One command prints the tables: `scripts/benchmarks`."""

import asyncio
import shlex
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks import audits, backup, instructions, kills, wrk
from benchmarks.cases import GET_ONE, LIST_100, POST, TRIVIAL, task_requests
from benchmarks.console import measure as console
from benchmarks.contender import Servers
from benchmarks.figures import measure
from benchmarks.live import measure as live
from benchmarks.machine import describe
from benchmarks.options import Amount, Options, parse
from benchmarks.report import (
    audits_section,
    backup_section,
    console_section,
    instructions_section,
    kills_section,
    live_section,
    live_soak_section,
    merged,
    story_section,
    tasks_section,
    trivial_section,
    wrk_section,
)
from benchmarks.seed import Crowd, seed
from benchmarks.servers import running_servers
from benchmarks.stories import SIZES, measure_stories

_RESULTS = Path(__file__).with_name("RESULTS.md")
_COMMAND = "scripts/benchmarks"
_METHOD = """\
CPU is the serving process's own, the best of several rounds after warm-up, one request at a time;
the contenders take turns, each in its own process. Waiting for PostgreSQL and Valkey costs none.
The contenders and what each has switched on: the first lines of `benchmarks/contenders/*.py`."""


def main(arguments: Sequence[str]) -> None:
    """Measure, print each part of the report when it is known, write it all when asked to."""
    options = parse(arguments)
    parts = []
    for part in _parts(arguments, options):
        print(part, end="\n\n", flush=True)
        parts.append(part)
    if options.write:
        before = _RESULTS.read_text() if _RESULTS.exists() else ""
        _RESULTS.write_text(merged(before, "\n\n".join(parts)))


def _parts(arguments: Sequence[str], options: Options) -> Iterator[str]:
    if options.tasks or options.trivial or options.instructions:
        with running_servers() as servers:
            yield from _with_servers(arguments, options, servers)
    yield from _without_servers(arguments, options)


def _without_servers(arguments: Sequence[str], options: Options) -> Iterator[str]:
    command, amount = shlex.join([_COMMAND, *arguments]), options.amount
    if options.console:
        yield _console(arguments, options)
    if options.backup:
        stalls = backup.measure(amount.backup_megabytes, say)
        yield backup_section(command, amount.backup_megabytes, stalls)
    if options.kills:
        yield kills_section(command, kills.measure(amount.kills, say))
    if options.audits:
        yield audits_section(command, audits.measure(amount.audits_rows, say))
    if options.live:
        runs = {workers: live.measure(amount.live, workers, say) for workers in (1, 2)}
        yield live_section(command, runs)
    if options.live_soak:
        yield live_soak_section(command, live.soak(amount.soak_minutes, amount.live.crowd, say))
    if options.story:
        say(f"stories of {', '.join(map(str, SIZES))} elements")
        yield story_section(command, measure_stories(SIZES, amount.rounds))


def _console(arguments: Sequence[str], options: Options) -> str:
    amount = options.amount
    runs = console.measure(amount.console_seconds, amount.console_rounds, say)
    return console_section(shlex.join([_COMMAND, *arguments]), amount.console_seconds, runs)


def _with_servers(arguments: Sequence[str], options: Options, servers: Servers) -> Iterator[str]:
    amount = options.amount
    postgres_version = _seed(servers, amount.crowd)
    if options.tasks or options.trivial:
        yield _header(arguments, amount, postgres_version)
    if options.instructions:
        yield _instructions(arguments, options, servers)
    if options.tasks:
        yield tasks_section(measure(options.tasks, servers, amount.rounds, amount.requests, say))
    if options.trivial:
        figures = measure(options.trivial, servers, amount.rounds, amount.requests, say)
        yield trivial_section(figures)
    if options.tasks and amount.wrk_seconds:
        yield _wrk(options, servers)


def _instructions(arguments: Sequence[str], options: Options, servers: Servers) -> str:
    if not instructions.installed():
        return "Instructions were not counted: valgrind is not installed."
    names, cases = options.instructions, (GET_ONE, POST, LIST_100, TRIVIAL)
    counted = instructions.measure(names, cases, servers, say)
    return instructions_section(shlex.join([_COMMAND, *arguments]), cases, counted)


def _seed(servers: Servers, crowd: Crowd) -> str:
    say(f"seeding {crowd.users:,} users with {crowd.tasks} tasks each")
    return asyncio.run(seed(servers.database_url, crowd))


def _header(arguments: Sequence[str], amount: Amount, postgres_version: str) -> str:
    command = shlex.join([_COMMAND, *arguments])
    rows = f"{amount.crowd.users:,} users with {amount.crowd.tasks} tasks each."
    parts = ["# Measured", f"    {command}", f"{describe(postgres_version)}\n{rows}", _METHOD]
    return "\n\n".join(parts)


def _wrk(options: Options, servers: Servers) -> str:
    if not wrk.installed():
        return "Requests a second were not measured: wrk is not installed."
    throughputs = {}
    for name in options.tasks:
        say(f"wrk: {name}")
        seconds = options.amount.wrk_seconds
        throughputs[name] = wrk.measure_server(name, servers, task_requests(), seconds)
    return wrk_section(throughputs)


def say(line: str) -> None:
    """Tell how far the run is, beside the report."""
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
