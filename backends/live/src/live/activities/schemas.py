from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StrictBool

from bedplate.schemas import MultiLineStr, Schema, SingleLineStr, WholeNumber
from live.models.activities import MAX_NOTES_LENGTH, MAX_TITLE_LENGTH

MAX_SECONDS = 3_600
MAX_ACTIVITIES = 500
Title = Annotated[str, SingleLineStr(MAX_TITLE_LENGTH)]
Notes = Annotated[str, MultiLineStr(MAX_NOTES_LENGTH)]
Seconds = Annotated[int, WholeNumber(1, MAX_SECONDS)]
ActivityState = Literal["draft", "open", "closed", "revealed"]
Visibility = Literal["live", "after_vote", "after_close", "after_reveal", "host"]


class Policy(Schema):
    """Who sees the results when, and how answers are kept.

    `anonymous` keeps no order and time of the answers. `secret` keeps nothing of an answer but the
    counters: it can't be changed, read or exported. Both hold results back below `min_answers`
    answers; while the activity is open, they change each time that so many more have come.
    """

    results: Visibility = Field("live", description="When participants see the results")
    screen: Visibility = Field("live", description="When screens see the results")
    change: StrictBool = Field(default=True, description="Whether answers may be changed")
    anonymous: StrictBool = False
    secret: StrictBool = False
    min_answers: Annotated[int, WholeNumber(1, 100)] = Field(
        5, description="How many answers it takes to show results, if anonymous or secret"
    )
    moderated: StrictBool = Field(
        default=False, description="Whether participants' words wait for a moderator"
    )

    @property
    def hides_people(self) -> bool:
        """Whether nobody may learn from results who answered what."""
        return self.anonymous or self.secret


class ActivityNew(Schema):
    """What makes an activity; `config` is described at `/activity-types`."""

    type: Annotated[str, Field(max_length=64)]
    title: Title
    config: dict[str, Any] = Field(default_factory=dict)
    policy: Policy | None = None
    seconds: Seconds | None = Field(default=None, description="How long it stays open")
    notes: Notes | None = Field(default=None, description="For hosts alone")


class ActivityPatch(Schema):
    """What changes of an activity: only the fields that are sent. Null clears notes and seconds."""

    title: Title = ""
    config: dict[str, Any] = Field(default_factory=dict)
    policy: Policy = Field(default_factory=Policy)
    seconds: Seconds | None = None
    notes: Notes | None = None


class Order(Schema):
    """The ids of all activities of a session, in their new order."""

    ids: Annotated[list[UUID], Field(max_length=MAX_ACTIVITIES)]


class Opening(Schema):
    """How an activity is opened."""

    seconds: Seconds | None = Field(default=None, description="Instead of the activity's own")


class PublicActivity(BaseModel):
    """An activity as participants and screens see it: nothing of correct answers and notes."""

    id: UUID
    type: str
    title: str
    config: dict[str, Any]
    policy: Policy
    state: ActivityState
    round: int
    seconds: int | None
    opened_at: AwareDatetime | None
    closes_at: AwareDatetime | None
    version: int = Field(description="Grows with each change: what has a lower one is older")


class Activity(PublicActivity):
    """An activity as hosts see it."""

    notes: str | None
    position: int
    closed_at: AwareDatetime | None
    closed_by: Literal["host", "timer", "end"] | None
    revealed_at: AwareDatetime | None


class ActivityList(BaseModel):
    """The activities of a session, in their order."""

    items: list[Activity]


class ActivityExample(BaseModel):
    """A configuration that a type accepts, and an answer to it."""

    model_config = ConfigDict(from_attributes=True)

    config: dict[str, Any]
    answer: dict[str, Any]


class ActivityTypeInfo(BaseModel):
    """A type of activity: JSON Schemas of its configuration and of its answers, and an example."""

    name: str
    title: str
    scored: bool
    config: dict[str, Any]
    answer: dict[str, Any]
    example: ActivityExample


class ActivityTypeList(BaseModel):
    """Every type that there is."""

    items: list[ActivityTypeInfo]
