"""Mods as the mod database lists them, under our own field names. All of it is untrusted text."""

from datetime import UTC, datetime
from typing import Annotated, Any, Final, TypeVar
from urllib.parse import urlsplit

import nh3
from pydantic import BaseModel, BeforeValidator, Field, ValidationError

from gameserver.mods.modinfo import is_mod_id, storable

_MAX_RELEASES: Final = 2_000
_MAX_ITEMS: Final = 100
_MAX_COUNT: Final = 2**53
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

Model = TypeVar("Model", bound=BaseModel)


def safe_html(html: object) -> str:
    """Return HTML that runs nothing and loads nothing but images from the web.

    A text that is too long is cut; any other value becomes "".
    """
    return nh3.clean(
        html[:MAX_HTML_LENGTH] if isinstance(html, str) else "",
        tags=set(_TAGS),
        attributes=_ATTRIBUTES,
        url_schemes=set(_SCHEMES),
        link_rel="noopener noreferrer nofollow",
        strip_comments=True,
    )


def safe_link(value: object) -> str | None:
    """Return a link to the web as it is, and None for any other (`javascript:`, `data:`)."""
    link = value.strip() if isinstance(value, str) else ""
    try:
        parts = urlsplit(link)
    except ValueError:
        return None
    return link if parts.scheme in _SCHEMES and parts.netloc else None


def _text(value: object) -> str:
    return storable(str(value)) if isinstance(value, str | int | float) else ""


def _count(value: object) -> int:
    number = int(value) if isinstance(value, int | float | str) and str(value).isdigit() else 0
    return min(number, _MAX_COUNT)


def _texts(value: object) -> list[str]:
    items = value if isinstance(value, list) else []
    return [_text(item) for item in items if isinstance(item, str)][:_MAX_ITEMS]


def _ids(value: object) -> list[str]:
    return [item.lower() for item in _texts(value) if is_mod_id(item.lower())]


def _moment(value: object) -> datetime | None:
    """Return a time of the database, which has no time zone: it is taken as UTC."""
    try:
        moment = datetime.fromisoformat(str(value))
    except ValueError:
        return None
    return moment.replace(tzinfo=moment.tzinfo or UTC)


Text = Annotated[str, BeforeValidator(_text)]
LowerText = Annotated[str, BeforeValidator(lambda value: _text(value).lower())]
Count = Annotated[int, BeforeValidator(_count)]
Texts = Annotated[list[str], BeforeValidator(_texts)]
Ids = Annotated[list[str], BeforeValidator(_ids)]
Link = Annotated[str | None, BeforeValidator(safe_link)]
HTML = Annotated[str, BeforeValidator(safe_html)]
Moment = Annotated[datetime | None, BeforeValidator(_moment)]


class _Described(BaseModel):
    """What the list and a mod's page have in common."""

    number: Annotated[Count, Field(validation_alias="modid")]
    asset_number: Annotated[Count, Field(validation_alias="assetid")] = 0
    name: Text = ""
    author: Text = ""
    alias: Annotated[Text, Field(validation_alias="urlalias")] = ""
    side: Text = ""
    type: Text = ""
    tags: Texts = []
    downloads: Count = 0
    follows: Count = 0
    comments: Count = 0
    last_released: Annotated[Moment, Field(validation_alias="lastreleased")] = None


class ListedMod(_Described):
    """A mod as the list of the mod database has it. `number` is the database's own id."""

    mod_ids: Annotated[Ids, Field(validation_alias="modidstrs")] = []
    summary: Text = ""
    logo: Link = None
    trending_points: Annotated[Count, Field(validation_alias="trendingpoints")] = 0


class Release(BaseModel):
    """One version of a mod that can be downloaded; `game_versions` are those it is made for."""

    number: Annotated[Count, Field(validation_alias="releaseid")] = 0
    mod_id: Annotated[LowerText, Field(validation_alias="modidstr")] = ""
    version: Annotated[Text, Field(validation_alias="modversion")] = ""
    file_name: Annotated[Text, Field(validation_alias="filename")] = ""
    url: Annotated[Link, Field(validation_alias="mainfile")] = None
    game_versions: Annotated[Texts, Field(validation_alias="tags")] = []
    downloads: Count = 0
    created: Moment = None
    changelog: HTML = ""


class ModPage(_Described):
    """A mod with its text and releases. Text and changelogs are sanitised HTML."""

    text: HTML = ""
    logo: Annotated[Link, Field(validation_alias="logofile")] = None
    homepage: Annotated[Link, Field(validation_alias="homepageurl")] = None
    source_code: Annotated[Link, Field(validation_alias="sourcecodeurl")] = None
    issue_tracker: Annotated[Link, Field(validation_alias="issuetrackerurl")] = None
    wiki: Annotated[Link, Field(validation_alias="wikiurl")] = None
    created: Moment = None
    releases: list[Release] = []


def mods_of(items: object) -> list[ListedMod]:
    """Return the mods of a list, without those that make no sense."""
    mods = (_parsed(ListedMod, item) for item in (items if isinstance(items, list) else []))
    return [mod for mod in mods if mod is not None and mod.number]


def page_of(item: object) -> ModPage | None:
    """Return a mod's page, or None when it makes no sense."""
    if not isinstance(item, dict):
        return None
    entries = item.get("releases")
    page = _parsed(ModPage, {**item, "releases": []})
    if page is not None and isinstance(entries, list):
        releases = (_parsed(Release, entry) for entry in entries[:_MAX_RELEASES])
        page.releases = [release for release in releases if release is not None]
    return page


def _parsed(model: type[Model], item: Any) -> Model | None:
    try:
        return model.model_validate(item)
    except ValidationError:
        return None
