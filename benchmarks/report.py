"""The whole report, as Markdown."""

from collections.abc import Mapping

from benchmarks import cases, wrk
from benchmarks.figures import Figure, Figures
from benchmarks.table import Cells, ratios, table
from benchmarks.wrk import Throughput

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
