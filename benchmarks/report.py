"""The whole report, as Markdown."""

import os
import re
import sqlite3
from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks import cases, wrk
from benchmarks.audits import Measured
from benchmarks.backup import Stall
from benchmarks.console.measure import CLIENTS, LINES_A_SECOND, Console
from benchmarks.figures import Figure, Figures
from benchmarks.instructions import REQUESTS, Instructions
from benchmarks.stories import FILES, Telling
from benchmarks.table import Cells, ratios, table
from benchmarks.wrk import Throughput

_INSTRUCTIONS_HEADING = "## Instructions of a request"
_INSTRUCTIONS_METHOD = """\
User instructions of the serving process, in thousands, counted by valgrind's callgrind: {requests}
requests one at a time after warm-up, the median of several such counts, Python's garbage collector
off. They repeat within 2 %, however busy the machine. `raw ASGI` is what calling an app costs."""

_CONSOLE_HEADING = "## Console"
_CONSOLE_METHOD = """\
From the write of a line by the game to its arrival at each of {clients} WebSocket clients;
{lines:,} lines a second for {seconds} s. One client more reads nothing at all. Server, clients and
game share this machine: the clients' own reading is part of the latency. Of several runs the one
with the smallest p99. Longest write: how long the game waited at most for its standard output to
be taken. CPU: the server's process, of one core. `a broadcast`: `benchmarks/console/server.py`."""

_BACKUP_HEADING = "## A backup of a large world"
_BACKUP_METHOD = """\
How late the event loop is for a timer of 2 ms, while the manager backs up and restores a world of
{megabytes:,} MB that doesn't compress. In the row `nothing` the manager idles: what is late there
is the machine's. With the game running, the simulated game's own copying takes 4 s of it."""

_KILLS_HEADING = "## Managers that are killed"
_KILLS_METHOD = """\
A real manager of a game server is killed (SIGKILL) at a random moment of a save, a backup, a
restore, an exchange of mods or a switch of versions, and 15 % also amid the next start. After each
kill the next one serves, every document is readable, no backup, version or mod is half there, one
game runs, and its world passes SQLite's check. Nothing was torn; a single finding ends the run."""

_AUDITS_HEADING = "## The audit trail: one chain"
_AUDITS_METHOD = """\
Records are appended as the routes do it, without HTTP. "unchained" inserts the same rows without a
log, a transaction each; "lock a row" appends each row to the chain in a transaction of its own.
Lists have 20 records and their total; "two filters, nothing" matches no record."""

_LIVE_HEADING = "## Live: a hall full of phones"
_LIVE_METHOD = """\
Each wave has a new server and database: PostgreSQL, the server, Valkey with two workers, and all
phones share this machine's {cores} cores. Phones are bare sockets that are connected before the
wave begins; a time is from a phone's request to its answer. "as wanted": answers with the status
that the wave should get, all of which are counted afterwards in the database. "probe": a request
for /health every 20 ms, which waits for the loop."""
_LIVE_SOAK_HEADING = "## Live: a long evening"
_LIVE_SOAK_METHOD = """\
One worker; polls of a second or two one after another, all people vote in each and follow the
events, every tenth is cut off in each round and comes back, some poll the state. Each round's
result is compared with what was answered. Memory is that of all of the server's processes."""
_STORY_HEADING = "## A story of the Story Factory, assembled"
_STORY_METHOD = """\
Five services in one process, their databases SQLite {sqlite}. Each element names an action, a
spoken word and a session of its own, and one of 30 characters. A call is a request to another
service: 1 for the structure, then 1 for each 5,000 things of a kind. CPU is that of all five, the
best of several rounds; `without gc` is CPU µs/element with Python's garbage collector off: the work
itself. The last three columns are CPU ms to make a file."""

Throughputs = Mapping[str, Mapping[str, Throughput]]


def tasks_section(figures: Figures) -> str:
    """Return the CPU table, the ratios to the floor and the idiomatic stack, the wall times."""
    cpu = _cpu(figures)
    tables = [table("CPU µs/request", cases.NAMES, cpu, _whole)]
    tables += [
        table(f"times {base}", cases.NAMES, ratios(cpu, base), _times)
        for base in ("floor", "idiomatic")
        if base in cpu and len(cpu) > 1
    ]
    tables.append(table("wall ms/request, p50 / p99", cases.NAMES, figures, _wall))
    return "\n\n".join(["## The tasks API, in process", *tables])


def instructions_section(command: str, names: Sequence[str], counted: Instructions) -> str:
    """Return the thousands of instructions of a request, and their ratios to both floors."""
    cells = {
        name: {case: count / 1000 for case, count in row.items()} for name, row in counted.items()
    }
    tasks = {name: row for name, row in cells.items() if cases.TRIVIAL not in row}
    tables = [table("thousands of instructions", names, cells, _whole)]
    tables += [
        table(f"times {base}", names[:-1], ratios(tasks, base), _times)
        for base in ("floor", "floor, no reset")
        if base in tasks and len(tasks) > 1
    ]
    method = _INSTRUCTIONS_METHOD.format(requests=REQUESTS)
    return "\n\n".join([_INSTRUCTIONS_HEADING, f"    {command}", method, *tables])


def trivial_section(figures: Figures) -> str:
    """Return the CPU table of the trivial route."""
    title = "CPU µs/request"
    return f"## A trivial typed route\n\n{table(title, (cases.TRIVIAL,), _cpu(figures), _tenth)}"


def wrk_section(throughputs: Throughputs) -> str:
    """Return the requests a second and their latencies."""
    rates = {
        name: {case: found.requests_per_second for case, found in row.items()}
        for name, row in throughputs.items()
    }
    tables = [
        f"## The tasks API on uvicorn: one worker, wrk with {wrk.CONNECTIONS} connections",
        table("requests/s", cases.NAMES, rates, _whole),
        table("ms, p50 / p99", cases.NAMES, throughputs, _latencies),
    ]
    return "\n\n".join(tables)


def console_section(command: str, seconds: int, runs: Mapping[str, Console]) -> str:
    """Return the latencies of lines, and what they cost."""
    method = _CONSOLE_METHOD.format(clients=CLIENTS, lines=LINES_A_SECOND, seconds=seconds)
    latencies = {
        name: {"p50": run.p50, "p95": run.p95, "p99": run.p99, "max": run.maximum}
        for name, run in runs.items()
    }
    costs = {
        name: {
            "lines that arrived": f"{run.arrived:.2%}",
            "CPU": f"{run.cpu:.0%}",
            "memory MB": _whole(run.memory),
            "frames/s": _whole(run.frames / seconds),
            "longest write ms": _tenth(run.longest_write),
            "load before": _tenth(run.load),
        }
        for name, run in runs.items()
    }
    tables = [
        table("line → client, ms", tuple(next(iter(latencies.values()))), latencies, _tenth),
        table("server", tuple(next(iter(costs.values()))), costs, str),
    ]
    return "\n\n".join([_CONSOLE_HEADING, f"    {command}", method, *tables])


def backup_section(command: str, megabytes: int, found: Mapping[str, Stall]) -> str:
    """Return what backups do to the event loop."""
    cells = {
        name: {
            "seconds": stall.seconds,
            "loop late, p99 ms": stall.p99,
            "longest ms": stall.longest,
        }
        for name, stall in found.items()
    }
    columns = tuple(next(iter(cells.values())))
    method = _BACKUP_METHOD.format(megabytes=megabytes)
    parts = [_BACKUP_HEADING, f"    {command}", method, table("beside", columns, cells, _tenth)]
    return "\n\n".join(parts)


def kills_section(command: str, found: Mapping[str, Any]) -> str:
    """Return what was done amid the kills."""
    rows = {name: value for name, value in found.items() if name not in {"begun", "seed"}}
    rows |= {f"begun: {name}": count for name, count in found["begun"].items()}
    cells = {name: {"": float(value)} for name, value in rows.items()}
    command = f"CRASH_SEED={found['seed']} {command}"
    parts = [_KILLS_HEADING, f"    {command}", _KILLS_METHOD, table("what", ("",), cells, _whole)]
    return "\n\n".join(parts)


def story_section(command: str, tellings: Mapping[int, Telling]) -> str:
    """Return what a story of each size takes, and its three files."""
    columns = ("calls", "MB", "CPU ms", "CPU µs/element", "without gc", "wall ms", *FILES)
    cells = {f"{size:,}": _telling(size, one) for size, one in tellings.items()}
    parts = [
        _STORY_HEADING,
        f"    {command}",
        _STORY_METHOD.format(sqlite=sqlite3.sqlite_version),
        table("elements", columns, cells, str),
    ]
    return "\n\n".join(parts)


def _telling(size: int, one: Telling) -> dict[str, str]:
    return {
        "calls": str(one.calls),
        "MB": f"{one.size / 1e6:.2f}",
        "CPU ms": _whole(one.cpu * 1e3),
        "CPU µs/element": _whole(one.cpu * 1e6 / size),
        "without gc": _whole(one.uncollected * 1e6 / size),
        "wall ms": _whole(one.wall * 1e3),
        **{name: _whole(seconds * 1e3) for name, seconds in one.files.items()},
    }


def audits_section(command: str, measured: Mapping[str, Measured]) -> str:
    """Return what appending to a chain costs, and reading a trail."""
    parts = [_AUDITS_HEADING, f"    {command}", _AUDITS_METHOD]
    for name, found in measured.items():
        base = found.inserting
        rows = {
            contender: {
                "rows/s": f"{each.rows:,.0f}",
                "times unchained": f"{each.rows / base['unchained'].rows:.2f}",
                "times lock a row": f"{each.rows / base['lock a row'].rows:.2f}",
                "p95 ms": f"{each.p95:.1f}",
                "one client, p50 ms": f"{each.alone:.2f}",
            }
            for contender, each in base.items()
        }
        parts.append(table(f"{name}: 100 clients", tuple(rows["ours"]), rows, str))
        parts.append(
            f"Batches of 1,000 records: {found.batch:,.0f} rows/s. An export of all rows: "
            f"{found.verified['export']:.0f} s; its verification: {found.verified['verify']:.0f} s "
            f"on one core, {found.verified['MB']:.0f} MB."
        )
        reads = {
            f"{each.rows:,} rows": {what: f"{ms:.1f}" for what, ms in each.figures.items()}
            for each in found.reading
        }
        columns = tuple(found.reading[0].figures)
        parts.append(table(f"{name}: reads, p95 ms", columns, reads, str))
    return "\n\n".join(parts)


def live_section(command: str, runs: Mapping[int, Mapping[str, Mapping[str, float]]]) -> str:
    """Return what the waves did to one worker, and to two."""
    method = _LIVE_METHOD.format(cores=os.cpu_count())
    parts = [_LIVE_HEADING, f"    {command}", method]
    for workers, waves in runs.items():
        title = f"{workers} worker{'s' * (workers > 1)}"
        for columns in _in_order({tuple(figures) for figures in waves.values()}):
            rows = {name: row for name, row in waves.items() if tuple(row) == columns}
            parts.append(table(title, columns, rows, _short))
    return "\n\n".join(parts)


def live_soak_section(command: str, figures: Mapping[str, float]) -> str:
    """Return what a long evening showed."""
    rows = {"500 people": dict(figures)}
    columns = tuple(figures)
    method = _LIVE_SOAK_METHOD
    parts = [_LIVE_SOAK_HEADING, f"    {command}", method, table("", columns, rows, _short)]
    return "\n\n".join(parts)


def _in_order(columns: set[tuple[str, ...]]) -> list[tuple[str, ...]]:
    """Return sets of columns, the widest ones first, always in the same order."""
    return sorted(columns, key=lambda names: (-len(names), names))


def _short(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 or value == int(value) else f"{value:.1f}"


def merged(before: str, now: str) -> str:
    """Return a report in which the parts of `now` replace those of `before` with their titles."""
    return "\n\n".join({**_titled(before), **_titled(now)}.values()) + "\n"


def _titled(report: str) -> dict[str, str]:
    """Return the parts of a report by their titles."""
    parts = re.split(r"\n+(?=## )", report.strip())
    return {part.partition("\n")[0]: part.strip() for part in parts if part}


def _cpu(figures: Figures) -> Cells[float]:
    return {
        name: {case: figure.cpu for case, figure in row.items()} for name, row in figures.items()
    }


def _whole(value: float) -> str:
    return f"{value:,.0f}"


def _tenth(value: float) -> str:
    return f"{value:,.1f}"


def _times(value: float) -> str:
    return f"{value:.2f}"


def _wall(figure: Figure) -> str:
    return f"{figure.median / 1000:.2f} / {figure.percentile_99 / 1000:.2f}"


def _latencies(throughput: Throughput) -> str:
    return f"{throughput.median:.1f} / {throughput.percentile_99:.1f}"
