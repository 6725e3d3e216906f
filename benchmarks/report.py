"""The whole report, as Markdown."""

from collections.abc import Mapping
from typing import Any

from benchmarks import cases, wrk
from benchmarks.backup import Stall
from benchmarks.console.measure import CLIENTS, LINES_A_SECOND, Console
from benchmarks.figures import Figure, Figures
from benchmarks.table import Cells, ratios, table
from benchmarks.wrk import Throughput

CONSOLE_HEADING = "## Console"
_CONSOLE_METHOD = """\
From the write of a line by the game to its arrival at each of {clients} WebSocket clients;
{lines:,} lines a second for {seconds} s. One client more reads nothing at all. Server, clients and
game share this machine: the clients' own reading is part of the latency. Of several runs the one
with the smallest p99. Longest write: how long the game waited at most for its standard output to
be taken. CPU: the server's process, of one core. `a broadcast`: `benchmarks/console/server.py`."""

BACKUP_HEADING = "## A backup of a large world"
_BACKUP_METHOD = """\
How late the event loop is for a timer of 2 ms, while the manager backs up and restores a world of
{megabytes:,} MB that doesn't compress. In the row `nothing` the manager idles: what is late there
is the machine's. With the game running, the simulated game's own copying takes 4 s of it."""

KILLS_HEADING = "## Managers that are killed"
_KILLS_METHOD = """\
A real manager of a game server is killed (SIGKILL) at a random moment of a save, a backup, a
restore, an exchange of mods or a switch of versions, and 15 % also amid the next start. After each
kill the next one serves, every document is readable, no backup, version or mod is half there, one
game runs, and its world passes SQLite's check. Nothing was torn; a single finding ends the run."""

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
        name: {"p50": run.p50, "p95": run.p95, "p99": run.p99, "max": run.longest}
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
    return "\n\n".join([CONSOLE_HEADING, f"    {command}", method, *tables])


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
    parts = [BACKUP_HEADING, f"    {command}", method, table("beside", columns, cells, _tenth)]
    return "\n\n".join(parts)


def kills_section(command: str, found: Mapping[str, Any]) -> str:
    """Return what was done amid the kills."""
    rows = {name: value for name, value in found.items() if name not in {"begun", "seed"}}
    rows |= {f"begun: {name}": count for name, count in found["begun"].items()}
    cells = {name: {"": float(value)} for name, value in rows.items()}
    command = f"CRASH_SEED={found['seed']} {command}"
    parts = [KILLS_HEADING, f"    {command}", _KILLS_METHOD, table("what", ("",), cells, _whole)]
    return "\n\n".join(parts)


def with_section(report: str, heading: str, section: str) -> str:
    """Return a report in which a section takes the place of the one of that heading, or is last."""
    before, _, rest = f"\n{report}".partition(f"\n{heading}\n")
    _, found, after = rest.partition("\n## ")
    parts = [before.strip(), section.strip(), (found + after).strip()]
    return "\n\n".join(part for part in parts if part) + "\n"


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
