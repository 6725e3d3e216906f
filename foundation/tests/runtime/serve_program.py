"""The program that the tests of the runtime run.

It takes its settings as a line of JSON from standard input: the fields of `Serving`, and
`temporary_directory` and `failure`.
"""

import json
import sys
import tempfile

from served import configure_logs, make_application, make_operations

from bedplate.runtime import Serving, serve


def main(line: str) -> int:
    """Serve, and return the exit code."""
    settings = {"port": 0, "operations_port": 0, "failure": "", **json.loads(line)}
    tempfile.tempdir = settings.pop("temporary_directory", None)
    arguments = (settings.pop("failure"),)
    configure_logs()
    serving = Serving(**settings)
    if serving.workers > 1:
        names = ("served:make_application", "served:make_operations")
        return serve(*names, serving=serving, arguments=arguments)
    return serve(make_application, make_operations, serving, arguments)


if __name__ == "__main__" and (line := sys.stdin.readline()):
    sys.exit(main(line))
