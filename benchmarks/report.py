"""The whole report, as Markdown."""

import re
import sqlite3
from collections.abc import Mapping

from benchmarks import cases, wrk
from benchmarks.figures import Figure, Figures
from benchmarks.stories import FILES, Telling
from benchmarks.table import Cells, ratios, table
from benchmarks.wrk import Throughput

_STORIES = """\
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


def story_section(tellings: Mapping[int, Telling]) -> str:
    """Return what a story of each size takes, and its three files."""
    columns = ("calls", "MB", "CPU ms", "CPU µs/element", "without gc", "wall ms", *FILES)
    cells = {f"{size:,}": _telling(size, one) for size, one in tellings.items()}
    parts = [
        "## A story of the Story Factory, assembled",
        "    uv run python -m benchmarks --only story",
        _STORIES.format(sqlite=sqlite3.sqlite_version),
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


def merged(before: str, now: str) -> str:
    """Return a report in which the parts of `now` replace those of `before` with their titles."""
    return "\n\n".join({**_titled(before), **_titled(now)}.values()) + "\n"


def _titled(report: str) -> dict[str, str]:
    """Return the parts of a report by their titles."""
    parts = re.split(r"\n+(?=## )", report.strip())
    return {part.partition("\n")[0]: part for part in parts if part}


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
