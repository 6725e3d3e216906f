"""The elements of a screenplay. Texts are as written, with emphasis marks and notes.

Lines within a text are separated by LF.
"""

from dataclasses import dataclass

SCENE = 0
"""The level of a scene heading; sections have 1 and more."""


@dataclass(frozen=True)
class _Paragraph:
    text: str


@dataclass(frozen=True, slots=True)
class Heading:
    """A scene heading, or a section: `# Act 1` has level 1, `## Scene 1` level 2."""

    text: str
    level: int = SCENE


class Action(_Paragraph):
    """A paragraph of action."""


@dataclass(frozen=True, slots=True)
class Speech:
    """Dialogue or song of one character without a break.

    text           None when there is only a parenthetical
    parenthetical  without its parentheses
    extension      text after the name, with its parentheses: (O.S.)
    dual           simultaneous with the speech before
    continued      under the same cue as the speech before, after a parenthetical or a song
    """

    character: str
    text: str | None
    parenthetical: str | None = None
    extension: str | None = None
    dual: bool = False
    continued: bool = False
    sung: bool = False


class Lyrics(_Paragraph):
    """Lines that are sung by nobody in particular."""


class Transition(_Paragraph):
    """The change from one scene to the next, such as `CUT TO:`."""


class Centered(_Paragraph):
    """Lines in the middle of the page: THE END."""


class Note(_Paragraph):
    """A remark in a paragraph of its own: `[[text]]`."""


class Synopsis(_Paragraph):
    """A summary of a scene or section: `= text`."""


@dataclass(frozen=True, slots=True)
class PageBreak:
    """A new page: `===`."""


Element = Heading | Action | Speech | Lyrics | Transition | Centered | Note | Synopsis | PageBreak


@dataclass(frozen=True, slots=True)
class TitleEntry:
    """A line of the title page; a value of several lines is separated by LF."""

    key: str
    value: str = ""


@dataclass(frozen=True, slots=True)
class Screenplay:
    """A screenplay: its title page, its elements, and how its file ends lines and begins."""

    title_page: tuple[TitleEntry, ...] = ()
    elements: tuple[Element, ...] = ()
    crlf: bool = False
    byte_order_mark: bool = False
