"""Python's garbage collector in a process that serves: it collects rarely, and not what stays."""

import gc


def collect_rarely() -> None:
    """Let the collector run less often: it makes a start of all backends 12 % slower by default."""
    gc.set_threshold(20_000, 20, 10)


def spare_what_is_there() -> None:
    """Let no collection visit the objects of the start, which live as long as the process."""
    gc.freeze()
