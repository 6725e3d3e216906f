"""Many WebSocket clients in one process, and one that stopped reading: PORT KEY CLIENTS.

They say `ready` when all are connected, and what they saw, as JSON, when the last line has come.
Bare sockets: what a client library costs would be measured instead of the server.
"""

import asyncio
import base64
import json
import os
import socket
import struct
import sys
import time
from collections import Counter
from typing import cast

import orjson
import uvloop

_STEP_NS = 100_000
_LAST_SECONDS = 1.0
_SHORT, _LONG = 126, 127
_ITEMS = b'{"type":"items","last":'


class Seen:
    """What all clients saw: of each frame the last line's number and the nanosecond it came at.

    Only the first client reads what is in its frames. Reading takes more than receiving does, and
    would be measured as the server's.
    """

    def __init__(self, clients: int) -> None:
        self.frames: list[list[tuple[int, int]]] = [[] for _ in range(clients)]
        self.written_at: dict[int, int] = {}
        self.lost = 0
        self.dropped = 0
        self.child = asyncio.Event()
        self.said = ""

    def latencies(self) -> Counter[int]:
        """Return how many lines took how long, in steps of 0.1 ms."""
        found: Counter[int] = Counter()
        for frames in self.frames:
            number = 0
            for last, came_at in frames:
                for number in range(number + 1, last + 1):  # noqa: B020 - it goes on
                    if (written_at := self.written_at.get(number)) is not None:
                        found[(came_at - written_at) // _STEP_NS] += 1
        return found

    def summary(self) -> dict[str, object]:
        """Return what the measurement asks for; the times of all lines are known at the end."""
        return {
            "latencies": self.latencies(),
            "frames": sum(map(len, self.frames)),
            "lost": self.lost,
            "dropped": self.dropped,
            "child": self.said,
        }


class Client(asyncio.Protocol):
    """One client; it upgrades, then reads frames."""

    def __init__(self, number: int, key: str, seen: Seen, ready: "asyncio.Future[None]") -> None:
        self._key = key
        self._seen = seen
        self._reads = number == 0
        self._frames = seen.frames[number]
        self._ready = ready
        self._buffer = bytearray()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask for the upgrade."""
        self._transport = cast("asyncio.Transport", transport)
        self._transport.write(opening())

    def connection_lost(self, _: Exception | None) -> None:
        """Count it."""
        self._seen.dropped += 1

    def data_received(self, data: bytes) -> None:
        """Take the frames that are complete."""
        now = time.monotonic_ns()
        self._buffer += data
        if not self._ready.done():
            self._upgrade()
        while self._ready.done() and (frame := self._frame()) is not None:
            self._take(frame, now)

    def _upgrade(self) -> None:
        head, end, rest = self._buffer.partition(b"\r\n\r\n")
        if not end:
            return
        if b" 101 " not in head:
            raise RuntimeError(f"No WebSocket: {head!r}")
        self._buffer = rest
        self._transport.write(proof(self._key))
        self._ready.set_result(None)

    def _frame(self) -> bytes | None:
        """Return the payload of the next frame (RFC 6455, section 5.2), which is never masked."""
        buffer = self._buffer
        if len(buffer) < 2:
            return None
        size, begin = buffer[1], 2
        if size == _SHORT and len(buffer) >= 4:
            size, begin = struct.unpack_from("!H", buffer, 2)[0], 4
        elif size == _LONG and len(buffer) >= 10:
            size, begin = struct.unpack_from("!Q", buffer, 2)[0], 10
        elif size >= _SHORT:
            return None
        if len(buffer) < begin + size:
            return None
        frame = bytes(buffer[begin : begin + size])
        del buffer[: begin + size]
        return frame

    def _take(self, frame: bytes, now: int) -> None:
        if not frame.startswith(_ITEMS):
            self._seen.lost += frame.startswith(b'{"type":"lost"')
            return
        begin = len(_ITEMS)
        self._frames.append((int(frame[begin : frame.index(b",", begin)]), now))
        if self._reads:
            for item in orjson.loads(frame)["items"]:
                self._read(item["number"], item["text"])

    def _read(self, number: int, text: str) -> None:
        seen = self._seen
        first, _, rest = text.partition(" ")
        if first.isdecimal():
            seen.written_at[number] = int(first)
        elif first == "end":
            seen.said = rest
            seen.child.set()


async def watch(port: int, key: str, count: int) -> Seen:
    """Connect all clients, and read until the child has said its last."""
    loop = asyncio.get_running_loop()
    seen = Seen(count)
    stopped = await loop.run_in_executor(None, stop_reading, port, key)
    for number in range(count):
        ready = loop.create_future()
        client = Client(number, key, seen, ready)
        await loop.create_connection(lambda: client, "127.0.0.1", port)  # noqa: B023
        await ready
    print("ready", flush=True)
    await seen.child.wait()
    await asyncio.sleep(_LAST_SECONDS)  # what is under way to the others
    stopped.close()
    return seen


def opening() -> bytes:
    """Return the request that opens a WebSocket."""
    nonce = base64.b64encode(os.urandom(16)).decode()
    lines = ["GET /console HTTP/1.1", "Host: console", "Upgrade: websocket", "Connection: Upgrade"]
    lines += [f"Sec-WebSocket-Key: {nonce}", "Sec-WebSocket-Version: 13", "", ""]
    return "\r\n".join(lines).encode()


def proof(key: str) -> bytes:
    """Return the first message, which proves who it is, as a frame."""
    message = json.dumps({"key": key}).encode()
    return bytes([0x81, 0x80 | len(message), 0, 0, 0, 0]) + message  # a mask of zeros is one


def stop_reading(port: int, key: str) -> socket.socket:
    """Return a client that upgraded and reads nothing from then on."""
    stopped = socket.socket()
    stopped.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)  # else megabytes fit in
    stopped.connect(("127.0.0.1", port))
    stopped.sendall(opening())
    head = b""
    while b"\r\n\r\n" not in head:
        head += stopped.recv(1)
    stopped.sendall(proof(key))
    return stopped


def main() -> None:
    """Run the clients and print what they saw."""
    port, key, count = sys.argv[1:]
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        seen = runner.run(watch(int(port), key, int(count)))
    print(json.dumps(seen.summary()))


if __name__ == "__main__":
    main()
