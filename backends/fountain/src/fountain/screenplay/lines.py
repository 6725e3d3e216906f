"""The lines of a screenplay's text, before they are parsed."""

BYTE_ORDER_MARK = "\ufeff"
KEPT_BLANK = "  "
"""A line of two spaces is blank but doesn't end the dialogue (fountain.io/syntax, Dialogue)."""
_WHITE = " \t"


def trim(line: str) -> str:
    """Return a line without spaces and tabs at its ends; other white space is text."""
    return line.strip(_WHITE)


def is_blank(line: str) -> bool:
    """Return whether a line has only spaces, tabs, and form feeds between printed pages."""
    return not line.strip(_WHITE + "\f")


def is_capitals(line: str) -> bool:
    """Return whether a line's letters are capitals; ß hardly has one."""
    return line.replace("ß", "").isupper()


def normal(text: str) -> str:
    """Return a text whose lines end with LF."""
    return text.replace("\r\n", "\n").replace("\r", "\n")


def ends_lines_with_crlf(text: str) -> bool:
    """Return whether every line ends with CRLF, and there is one."""
    crlf = text.count("\r\n")
    return 0 < crlf == text.count("\n") == text.count("\r")


def split(text: str) -> tuple[list[str], tuple[tuple[int, int], ...]]:
    """Return the lines of a normal text without its boneyards, which go from /* to */.

    Beside them: the first and the last line of each boneyard.
    """
    kept = ""
    struck_out: list[tuple[int, int]] = []
    start, line = 0, 1
    while (opened := text.find("/*", start)) >= 0:
        closed = text.find("*/", opened + 2)
        if closed < 0:
            break
        kept += text[start:opened]
        first = line + text.count("\n", start, opened)
        line = first + text.count("\n", opened, closed)
        struck_out.append((first, line))
        start = closed + 2
        if kept.endswith("/") and text.startswith("*", start):
            # The rest on both sides must not become the start of a boneyard.
            kept += " "
    return (kept + text[start:]).split("\n"), tuple(struck_out)
