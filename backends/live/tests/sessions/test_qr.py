"""The QR code: what a phone's camera reads in it, and who may have it."""

import struct
import xml.etree.ElementTree as ET
import zlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
import zxingcpp

from bedplate.testing.client import Client, client
from bedplate.testing.problems import ProblemOf

if TYPE_CHECKING:
    from backends.live.tests.conftest import Evening


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    """One database is enough: the image is made above it."""
    return sqlite_url


def pixels(png: bytes) -> memoryview:
    """Return the grey values of a PNG of one bit a pixel, which is what segno writes."""
    width, height, depth, colour = struct.unpack(">IIBB", png[16:26])
    assert (depth, colour) == (1, 0)
    start = png.index(b"IDAT")
    (length,) = struct.unpack(">I", png[start - 4 : start])
    raw = zlib.decompress(png[start + 4 : start + 4 + length])
    stride = (width + 7) // 8
    rows = [bytes(stride)]
    for place in range(0, len(raw), stride + 1):
        row = raw[place + 1 : place + 1 + stride]
        if raw[place] == 2:  # the difference to the row above (PNG, section 9.2)
            row = bytes((a + b) % 256 for a, b in zip(row, rows[-1], strict=True))
        rows.append(row)
    grey = bytes(255 * (row[x // 8] >> (7 - x % 8) & 1) for row in rows[1:] for x in range(width))
    return memoryview(grey).cast("B", [height, width])


def read(png: bytes) -> str:
    """Return what a decoder reads in the image."""
    [found] = zxingcpp.read_barcodes(pixels(png))
    assert found.format == zxingcpp.BarcodeFormat.QRCode
    return str(found.text)


@pytest.mark.parametrize("scale", [2, 10, 50])
async def test_it_leads_to_the_session(evening: "Evening", scale: int) -> None:
    """The picture holds the join URL with the code, in every size; the id is nowhere in it."""
    response = await evening.api.get(
        f"{evening.path}/qr", params={"scale": scale}, headers=evening.host
    )
    assert response.status_code == 200
    assert response.headers["Content-Type"] == "image/png"
    url = read(response.content)
    assert url == evening.session["join_url"]
    assert evening.code in url
    assert evening.id not in url


async def test_the_urls_host_is_a_setting(make_app: Callable[..., Any]) -> None:
    """Phones are led to the page that the settings name."""
    app = make_app(join_url="https://live.example.com/j/{code}?from=qr")
    async with client(app) as api:
        made = (await api.post("/api/v1/sessions", json={"title": "Evening"})).json()
        host = {"Authorization": f"Bearer {made['host_token']}"}
        response = await api.get(f"/api/v1/sessions/{made['id']}/qr", headers=host)
    assert read(response.content) == f"https://live.example.com/j/{made['code']}?from=qr"


async def test_svg(evening: "Evening") -> None:
    """An SVG has the size that the scale says, and no script."""
    sizes = []
    for scale in (1, 5):
        response = await evening.api.get(
            f"{evening.path}/qr", params={"format": "svg", "scale": scale}, headers=evening.host
        )
        assert response.headers["Content-Type"] == "image/svg+xml"
        root = ET.fromstring(response.content)
        assert root.tag == "{http://www.w3.org/2000/svg}svg"
        assert {child.tag.rpartition("}")[2] for child in root.iter()} <= {"svg", "path", "g"}
        sizes.append(int(root.attrib["width"]))
    assert sizes[1] == 5 * sizes[0]


async def test_who_may_have_it(api: Client, evening: "Evening", problem_of: ProblemOf) -> None:
    """Hosts and screens show it; participants and strangers don't get the code from it."""
    for role in ("cohost", "screen"):
        response = await api.get(f"{evening.path}/qr", headers=await evening.link(role))
        assert response.status_code == 200
    for headers in ((await evening.join()).headers, await evening.link("moderator")):
        problem_of(await api.get(f"{evening.path}/qr", headers=headers), 403)
    problem_of(await api.get(f"{evening.path}/qr"), 401)


@pytest.mark.parametrize(
    "query", [{"format": "gif"}, {"scale": 0}, {"scale": 51}, {"scale": "1e3"}, {"scale": ""}]
)
async def test_what_is_refused(
    evening: "Evening", query: dict[str, Any], problem_of: ProblemOf
) -> None:
    """An unknown format and a scale out of bounds are 422."""
    response = await evening.api.get(f"{evening.path}/qr", params=query, headers=evening.host)
    problem_of(response, 422)
