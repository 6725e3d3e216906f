"""The program that the tests of the runtime run.

`python serve_program.py '{"workers": 2, …}'` takes the fields of `Serving` as JSON.
"""

import json
import sys

from served import configure_logs, make_application, make_operations

from bedplate.runtime import Serving, serve


def main(settings: str, failure: str = "") -> int:
    """Serve, and return the exit code."""
    configure_logs()
    serving = Serving(**{"port": 0, "operations_port": 0, **json.loads(settings)})
    if serving.workers > 1:
        names = ("served:make_application", "served:make_operations")
        return serve(*names, serving=serving, arguments=(failure,))
    return serve(make_application, make_operations, serving, (failure,))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
