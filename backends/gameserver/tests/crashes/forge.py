"""Makes managers that run at once: everything is imported before they are forked.

A line on standard input starts one, with the command line's arguments as `bedplate run` takes
them; its id is printed. Their output goes to the file `managers.log` in the working directory.
"""

import os
import signal
import sys

import uvicorn

import bedplate.runtime
import gameserver.backend
from bedplate.cli.main import main


def reap(*_: object) -> None:
    """Let the system forget the managers that have ended."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        return


def manage() -> None:
    """Be a manager, in a session of its own."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.setsid()
    log = os.open("managers.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for source, target in ((nothing, 0), (log, 1), (log, 2)):
        os.dup2(source, target)
    code = 1
    try:
        code = main(["run", "gameserver", *sys.argv[1:]])
    finally:
        os._exit(code)


assert uvicorn.__version__
assert bedplate.runtime.__name__
assert gameserver.backend.backend.name == "gameserver"
signal.signal(signal.SIGCHLD, reap)
print("ready", flush=True)  # noqa: T201 - whoever started this reads it
for _ in sys.stdin:
    child = os.fork()
    if child == 0:
        manage()
    print(child, flush=True)  # noqa: T201 - see above
