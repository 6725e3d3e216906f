"""Stands in for a chatty game: LINES_A_SECOND SECONDS, further arguments are ignored.

Each line tells the nanosecond it was written at, by the clock that all processes share. The last
one tells how many there were and how long a write took at most: a reader that blocks would show.
Nothing is imported that a game would not have.
"""

import os
import sys
import time

_STAMP = "21.11.2026 12:00:00 [Server Notification] "
_TEXT = "Placing player at 512034.3, 110.0, 512011.7, 12 chunks of 32 are loaded"
_TICK_SECONDS = 0.001


def main() -> None:
    """Write as many lines as are due, each millisecond, until the time is over; then wait."""
    rate, seconds = int(sys.argv[1]), float(sys.argv[2])
    began = time.monotonic()
    written, max_gap = 0, 0.0
    while (passed := time.monotonic() - began) < seconds:
        for _ in range(int(passed * rate) - written):
            max_gap = max(max_gap, _write(f"{time.monotonic_ns()} {_TEXT}"))
            written += 1
        time.sleep(_TICK_SECONDS)
    _write(f"end {written} {max_gap * 1000:.3f}")
    for command in sys.stdin:
        if command.startswith("/stop"):
            return


def _write(text: str) -> float:
    """Write one line at once, and return how many seconds that took."""
    began = time.perf_counter()
    os.write(1, f"{_STAMP}{text}\n".encode())
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
