"""The process that keeps the workers of `bedplate run --workers N` alive; it imports no backend.

`bedplate run` checks the backends and their settings, and then becomes this process: it keeps its
id and its output, and loses what it imported.
"""

import json
import os
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass

import bedplate.observability.structlog_without_rich  # noqa: F401 - before what imports structlog
from bedplate.cli.announcement import Served, announcing
from bedplate.collector import collect_rarely
from bedplate.observability.logs import configure_logging
from bedplate.runtime import Serving, serve


@dataclass(frozen=True, kw_only=True)
class Supervision:
    """What the process needs to know.

    served: the backends, for the lines that it prints when they listen.
    announce: whether it prints these lines.
    program: how the user calls `bedplate`.
    """

    served: Sequence[Served]
    serving: Serving
    json_logs: bool
    log_level: str
    announce: bool
    program: str

    def become(self) -> None:
        """Replace this process with the supervisor."""
        sys.stdout.flush()
        sys.stderr.flush()
        # -P: a file in the working folder must not be imported instead of a package.
        command = [sys.executable, "-P", "-m", __name__, json.dumps(asdict(self))]
        os.execv(sys.executable, command)  # noqa: S606 - our own interpreter


def main(text: str) -> int:
    """Supervise as a `Supervision` in JSON says, and return the exit code of `serve`."""
    collect_rarely()
    values = json.loads(text)
    served = [Served(**each) for each in values.pop("served")]
    supervision = Supervision(served=served, serving=Serving(**values.pop("serving")), **values)
    configure_logging(json=supervision.json_logs, level=supervision.log_level)
    with announcing(served, enabled=supervision.announce, program=supervision.program):
        return serve(
            "bedplate.cli.run:make_application",
            "bedplate.cli.run:make_operations",
            supervision.serving,
            arguments=(tuple(each.name for each in served),),
        )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
