"""One command prints the tables: `uv run --group peers python -m benchmarks`."""

import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks import wrk
from benchmarks.cases import task_requests
from benchmarks.contender import Servers
from benchmarks.figures import measure
from benchmarks.machine import describe
from benchmarks.options import Amount, Options, parse
from benchmarks.report import tasks_section, trivial_section, wrk_section
from benchmarks.seed import seed
from benchmarks.servers import running_servers

_RESULTS = Path(__file__).with_name("RESULTS.md")
_COMMAND = "uv run --group peers python -m benchmarks"
_METHOD = """\
CPU is the serving process's own, the best of several rounds after warm-up, one request at a time;
the contenders take turns, each in its own process. Waiting for PostgreSQL and Valkey costs none.
The contenders and what each has switched on: the first lines of `benchmarks/contenders/*.py`."""


def main(arguments: Sequence[str]) -> None:
    """Measure, print the report, and write it when asked to."""
    options = parse(arguments)
    with running_servers() as servers:
        crowd = options.amount.crowd
        say(f"seeding {crowd.users:,} users with {crowd.tasks} tasks each")
        postgres_version = asyncio.run(seed(servers.database_url, crowd))
        sections = [_header(arguments, options.amount, postgres_version)]
        sections += _sections(options, servers)
    report = "\n\n".join(sections) + "\n"
    print(report)
    if options.write:
        _RESULTS.write_text(report)


def _header(arguments: Sequence[str], amount: Amount, postgres_version: str) -> str:
    command = " ".join([_COMMAND, *arguments])
    rows = f"{amount.crowd.users:,} users with {amount.crowd.tasks} tasks each."
    parts = ["# Measured", f"    {command}", f"{describe(postgres_version)}\n{rows}", _METHOD]
    return "\n\n".join(parts)


def _sections(options: Options, servers: Servers) -> list[str]:
    amount, sections = options.amount, []
    if options.tasks:
        figures = measure(options.tasks, servers, amount.rounds, amount.requests, say)
        sections.append(tasks_section(figures))
    if options.trivial:
        figures = measure(options.trivial, servers, amount.rounds, amount.requests, say)
        sections.append(trivial_section(figures))
    if options.tasks and amount.wrk_seconds:
        sections.append(_wrk(options, servers))
    return sections


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
