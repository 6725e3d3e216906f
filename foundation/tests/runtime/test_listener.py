"""Listening sockets: clear errors, and no connection lost when they close."""

import socket
import subprocess
import sys
import threading

import pytest

from bedplate.runtime.listener import accept_waiting, bind, refuse_new_connections
from bedplate.runtime.serving import StartupError


def test_connections_are_refused_until_someone_listens() -> None:
    """A bound socket refuses connections, so a starting process gets no requests."""
    with bind("127.0.0.1", 0) as listener, pytest.raises(ConnectionRefusedError):
        socket.create_connection(listener.getsockname())


def test_all_addresses_of_both_families() -> None:
    """The host `::` takes IPv4 connections as well."""
    with bind("::", 0) as listener:
        listener.listen()
        with socket.create_connection(("127.0.0.1", listener.getsockname()[1])):
            pass


def test_unknown_host_is_one_sentence() -> None:
    """A host that is none of this machine is a StartupError that says what to do."""
    with pytest.raises(StartupError, match="choose another host or port"):
        bind("192.0.2.1", 0)


@pytest.mark.skipif(sys.platform != "linux", reason="the filter is Linux's")
def test_refusing_keeps_what_waits_and_what_is_open() -> None:
    """After the refusal a new connection does not begin; waiting and open ones still work."""
    with bind("127.0.0.1", 0) as listener:
        listener.listen()
        address = listener.getsockname()
        with socket.create_connection(address) as open_before:
            (accepted,) = accept_waiting(listener)
            with socket.create_connection(address) as waiting:
                assert refuse_new_connections(listener)
                with pytest.raises(TimeoutError):
                    socket.create_connection(address, timeout=0.2)
                (late,) = accept_waiting(listener)
                for client, server in ((open_before, accepted), (waiting, late)):
                    client.sendall(b"hello")
                    assert server.recv(5) == b"hello"
                    server.close()


@pytest.mark.skipif(sys.platform != "linux", reason="the filter is Linux's")
def test_no_connection_is_lost_when_the_listener_closes_under_a_storm() -> None:
    """Processes connect as fast as they can: what connects is greeted, the rest is refused."""
    close_in_a_storm(clients=2, after=100)


@pytest.mark.soak
@pytest.mark.skipif(sys.platform != "linux", reason="the filter is Linux's")
@pytest.mark.parametrize("repeat", range(60))
def test_no_connection_is_lost_in_any_of_many_storms(repeat: int) -> None:
    """The same again and again: a plain close loses connections in almost each of these storms."""
    close_in_a_storm(clients=4, after=500)


def close_in_a_storm(*, clients: int, after: int) -> None:
    """Close a listener that many clients want, and fail when one of them was neglected."""
    listener = bind("127.0.0.1", 0)
    listener.listen(2048)
    command = [sys.executable, "-I", "-S", "-c", STORM, str(listener.getsockname()[1])]
    storm = [subprocess.Popen(command, stdout=subprocess.PIPE) for _ in range(clients)]
    greet(listener, after)
    assert refuse_new_connections(listener)
    threading.Event().wait(0.05)  # handshakes under way have no event to wait for
    greet(listener, 0)
    listener.close()
    assert [client.communicate(timeout=20)[0] for client in storm] == [b"refused"] * clients


STORM = """
import socket, sys
try:
    while True:
        with socket.create_connection(("127.0.0.1", int(sys.argv[1])), timeout=5) as connection:
            connected = connection.recv(5) == b"hello"
        if not connected:
            sys.exit("lost")
except ConnectionRefusedError:
    sys.stdout.write("refused")
"""


def greet(listener: socket.socket, least: int) -> None:
    """Greet every connection that waits, until there were that many."""
    served = 0
    while True:
        for connection in accept_waiting(listener):
            connection.sendall(b"hello")
            connection.close()
            served += 1
        if served >= least:
            return
