"""The QR code that leads phones to a session: it carries the join URL, and so the code."""

import io
from functools import lru_cache
from typing import Final, Literal

import segno

ImageFormat = Literal["png", "svg"]
MEDIA_TYPES: Final = {"png": "image/png", "svg": "image/svg+xml"}
MAX_SCALE: Final = 50


@lru_cache(maxsize=256)
def image(url: str, form: ImageFormat, scale: int) -> bytes:
    """Return a QR code (ISO/IEC 18004), with error correction M or better and a quiet zone.

    `scale` is the size of a module in pixels. It takes some milliseconds, so call it in a thread.
    """
    written = io.BytesIO()
    segno.make(url, error="m", micro=False).save(written, kind=form, scale=scale)
    return written.getvalue()
