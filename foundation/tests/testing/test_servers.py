"""What PostgreSQL and Valkey have in common as servers of tests."""

import pytest

from bedplate.testing.postgres import PostgresServer
from bedplate.testing.processes import ProcessError
from bedplate.testing.valkey import ValkeyServer


@pytest.mark.parametrize("kind", [PostgresServer, ValkeyServer])
def test_a_server_that_was_never_started_says_so(
    kind: type[PostgresServer] | type[ValkeyServer],
) -> None:
    """Stopping nothing is a mistake of the test."""
    with pytest.raises(ProcessError, match="never started"):
        kind().stop()
