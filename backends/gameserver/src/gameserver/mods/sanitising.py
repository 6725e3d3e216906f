"""Text of strangers, made safe to show: HTML by an allow-list, links only to the web."""

from typing import Final
from urllib.parse import urlsplit

import nh3

MAX_HTML_LENGTH: Final = 200_000
_TAGS: Final = frozenset({
    "a", "b", "blockquote", "br", "code", "del", "div", "em", "h1", "h2", "h3", "h4", "h5", "h6",
    "hr", "i", "img", "li", "ol", "p", "pre", "s", "span", "strong", "sub", "sup", "table", "tbody",
    "td", "th", "thead", "tr", "u", "ul",
})  # fmt: skip
_ATTRIBUTES: Final = {
    "a": {"href", "title"},
    "img": {"src", "alt", "title", "width", "height"},
    "td": {"colspan", "rowspan"},
    "th": {"colspan", "rowspan"},
}
_SCHEMES: Final = frozenset({"http", "https"})


def safe_html(html: str) -> str:
    """Return HTML that runs nothing and loads nothing but images from the web.

    Of a text that is too long, the beginning.
    """
    return nh3.clean(
        html[:MAX_HTML_LENGTH],
        tags=set(_TAGS),
        attributes=_ATTRIBUTES,
        url_schemes=set(_SCHEMES),
        link_rel="noopener noreferrer nofollow",
        strip_comments=True,
    )


def safe_link(link: str | None) -> str | None:
    """Return a link to the web as it is, and None for every other (`javascript:`, `data:`)."""
    try:
        parts = urlsplit((link or "").strip())
    except ValueError:
        return None
    return (link or "").strip() if parts.scheme in _SCHEMES and parts.netloc else None
