"""What signals do to a process that serves."""

import asyncio
import signal
from collections.abc import Callable

STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)


def on_stop_signals(leave: Callable[[], None], force: Callable[[str], None]) -> None:
    """Let the first SIGTERM or SIGINT call `leave`, and every later one `force`.

    Has to be called on the event loop of the main thread.
    """
    received: list[signal.Signals] = []

    def receive(number: signal.Signals) -> None:
        received.append(number)
        if len(received) == 1:
            leave()
        else:
            force("second signal")

    loop = asyncio.get_running_loop()
    for number in STOP_SIGNALS:
        loop.add_signal_handler(number, receive, number)
