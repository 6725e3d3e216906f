from datetime import datetime
from enum import StrEnum

from pydantic import BaseModel, Field, StrictBool

from bedplate.schemas import Schema


class Channel(StrEnum):
    """The release channel of a version."""

    STABLE = "stable"
    UNSTABLE = "unstable"


class OfferedVersion(BaseModel):
    """A version that the feed offers as a server for Linux.

    size   as the feed writes it, such as "40.2 MB"; untrusted text
    urls   of the archive, preferred first
    """

    version: str
    channel: Channel
    latest: bool = False
    filename: str
    size: str = ""
    md5: str
    urls: list[str]


class ChannelCache(BaseModel):
    """The feed's last answer for one channel, and its ETag."""

    etag: str | None = None
    versions: list[OfferedVersion] = Field(default_factory=list)


class FeedCache(BaseModel):
    """The feed's last answer, and its time. A stored format."""

    fetched_at: datetime | None = None
    channels: dict[Channel, ChannelCache] = Field(default_factory=dict)


class Version(BaseModel):
    """A version that is offered, installed, or both.

    runtime       needed to run it: `.NET 10`, `Mono`
    world_newer   a newer version has run the world, so switching to this one needs `force`
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
    """Versions, newest first.

    fetched_at   when the feed last answered; None if it never did
    stale        the feed doesn't answer now: these are its versions of `fetched_at`
    """

    versions: list[Version]
    current: str | None
    world_version: str | None
    fetched_at: datetime | None
    stale: bool


class NewSwitch(Schema):
    """Options of a switch to a version, which is installed first if necessary.

    force   also switch to an older version than has run the world
    backup  back up the world first; otherwise a failed update can't restore it
    """

    force: StrictBool = False
    backup: StrictBool = True
