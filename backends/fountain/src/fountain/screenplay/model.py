"""What a screenplay is made of. Texts are as written, emphasis marks and notes in them included.

Lines within a text are separated by LF.
"""

from dataclasses import dataclass

SCENE = 0
"""The level of a scene heading; sections have 1 and more."""


@dataclass(frozen=True, slots=True)
class Heading:
    """A scene heading, or a section: `# Act 1` has level 1, `## Scene 1` level 2."""

    text: str
    level: int = SCENE


@dataclass(frozen=True, slots=True)
class Action:
    """A paragraph that says what happens."""

    text: str


@dataclass(frozen=True, slots=True)
class Speech:
    """What a character says or sings without a break.

    text           None when the character only does what the parenthetical says
    parenthetical  without its parentheses
    extension      what follows the name, parentheses included: (O.S.)
    dual           said at the same time as the speech before
    continued      stands under the same cue as the speech before, after a parenthetical or a song
    """

    character: str
    text: str | None
    parenthetical: str | None = None
    extension: str | None = None
    dual: bool = False
    continued: bool = False
    sung: bool = False


@dataclass(frozen=True, slots=True)
class Lyrics:
    """Lines that are sung, and by whom isn't said."""

    text: str


@dataclass(frozen=True, slots=True)
class Transition:
    """How one scene becomes the next, such as `CUT TO:`."""

    text: str


@dataclass(frozen=True, slots=True)
class Centered:
    """Lines in the middle of the page: THE END."""

    text: str


@dataclass(frozen=True, slots=True)
class Note:
    """A remark that stands by itself: `[[text]]`."""

    text: str


@dataclass(frozen=True, slots=True)
class Synopsis:
    """What a scene or section is about: `= text`."""

    text: str


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
