"""Imports structlog as if rich weren't installed; to be imported before structlog.

structlog imports rich for its own tracebacks, which Bedplate never prints: they show the values of
local variables. It takes 5 MB and half of the time that structlog takes.
"""

import sys

if "rich" not in sys.modules and "structlog" not in sys.modules:
    sys.modules["rich"] = None  # type: ignore[assignment]  # an import raises ImportError
    try:
        import structlog  # noqa: F401
    finally:
        del sys.modules["rich"]
