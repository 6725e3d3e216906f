"""What all connections of a server share."""

from uvicorn.server import ServerState
from websockets.frames import Frame, Opcode


class ConnectionState(ServerState):
    """What uvicorn's protocols share, and how far the server is on its way out.

    announce_close: responses say `Connection: close`.
    heads_until: the time of the event loop until which heads of requests may still arrive.
    """

    announce_close = False
    heads_until = 0.0
    _text = ""
    _frame = b""

    def text_frame(self, text: str) -> bytes:
        """Return the frame of a text message; made once for one that many clients get in a row."""
        if text is not self._text:
            frame = Frame(Opcode.TEXT, text.encode())
            self._text, self._frame = text, frame.serialize(mask=False)
        return self._frame
