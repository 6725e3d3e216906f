"""What goes over the wire, and into the cache of the feed."""

from datetime import datetime
from enum import StrEnum

from pydantic import BaseModel, Field, StrictBool

from bedplate.schemas import Schema


class Channel(StrEnum):
    """The branch of the game that a version belongs to."""

    STABLE = "stable"
    UNSTABLE = "unstable"


class OfferedVersion(BaseModel):
    """A version that the feed offers as a server for Linux.

    size   as the feed writes it, such as "40.2 MB"; untrusted text
    urls   where the archive is, the preferred place first
    """

    version: str
    channel: Channel
    latest: bool = False
    filename: str
    size: str = ""
    md5: str
    urls: list[str]


class ChannelCache(BaseModel):
    """What the feed last said of one channel, and the ETag it said it with."""

    etag: str | None = None
    versions: list[OfferedVersion] = Field(default_factory=list)


class FeedCache(BaseModel):
    """What the feed last said, and when."""

    fetched_at: datetime | None = None
    channels: dict[Channel, ChannelCache] = Field(default_factory=dict)


class ShownVersion(BaseModel):
    """A version that is offered, installed, or both.

    runtime       what must be installed to run it: `.NET 10`, `Mono`
    world_newer   the world was run by a newer version, so that switching needs `force`
    """

    version: str
    channel: Channel
    latest: bool = False
    offered: bool
    installed: bool
    current: bool
    size: str = ""
    runtime: str
    world_newer: bool = False


class VersionList(BaseModel):
    """Versions, the newest first.

    fetched_at   when the feed last answered; None when it never did
    stale        the feed didn't answer now: this is what it said then
    """

    versions: list[ShownVersion]
    current: str | None
    world_version: str | None
    fetched_at: datetime | None
    stale: bool


class NewSwitch(Schema):
    """How a version is switched to. It is installed first when it isn't yet.

    force   also to an older version than has run the world
    backup  make one before; without it a failed update can't put the world back
    """

    force: StrictBool = False
    backup: StrictBool = True
