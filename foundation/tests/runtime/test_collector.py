"""How a process that serves collects its garbage."""

import subprocess
import sys

PROGRAM = """
import gc, socket
from bedplate.runtime import Serving, worker
from bedplate.runtime.serving import Factories

def factory(*_):
    print(gc.get_threshold()[0])
    raise RuntimeError

line, far_end = socket.socketpair()
try:
    worker.work(Factories(application=factory), Serving(), None, None, line)
except SystemExit:
    pass
"""


def test_a_worker_collects_as_rarely_as_a_single_process() -> None:
    """The application of a worker is made under the settings that `bedplate` makes for itself."""
    done = subprocess.run([sys.executable, "-c", PROGRAM], stdout=subprocess.PIPE, check=True)
    assert done.stdout.split() == [b"20000"]
