from uvicorn.server import ServerState
from websockets.frames import Frame, Opcode


class ConnectionState(ServerState):
    """The state that all connections of a server share, and how far it has drained.

    announce_close: responses say `Connection: close`.
    heads_until: the event loop's time until which heads of requests may still arrive.
    """

    announce_close = False
    heads_until = 0.0
    _text = ""
    _frame = b""

    def text_frame(self, text: str) -> bytes:
        """Return the frame of a text message, cached for a text that many clients get in a row."""
        if text is not self._text:
            frame = Frame(Opcode.TEXT, text.encode())
            self._text, self._frame = text, frame.serialize(mask=False)
        return self._frame
