"""Screenplays in the Fountain format: read, written, and as the story services hold them.

The format is that of fountain.io/syntax, version 1.1. The parser is our own: every kept library
drops what a round trip needs (notes, tabs, the case of headings), and one of them would take this
package's name.
"""

from fountain.screenplay.model import Screenplay
from fountain.screenplay.parser import Reading, parse, read
from fountain.screenplay.renderer import render

__all__ = ["Reading", "Screenplay", "parse", "read", "render"]
