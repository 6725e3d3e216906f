"""Calls from one backend to another: over HTTP by URL, or in process when both run together.

resources={"sequence": neighbour("central-sequence", url="sequence_url")}

The client itself is `bedplate.neighbours.client.Neighbour`; it needs httpx2.
"""

from bedplate.neighbours.errors import NeighbourRefused, NeighbourUnavailable
from bedplate.neighbours.opening import NeighbourURL, neighbour
from bedplate.neighbours.registry import Neighbours

__all__ = [
    "NeighbourRefused",
    "NeighbourURL",
    "NeighbourUnavailable",
    "Neighbours",
    "neighbour",
]
