"""The Story Factory, which joins scripts, characters and sessions. Start reading here.

It stores nothing: every response is made from what the other services answer at that moment.
"""

from pathlib import Path

from bedplate.backend import Backend
from bedplate.contracts import message_policy
from fountain.common.contracts import bind_contract
from fountain.story_factory.router import operations
from fountain.story_factory.settings import StoryFactorySettings
from fountain.story_factory.state import StoryFactoryState

backend = Backend(
    name="story-factory",
    title="Story Factory",
    summary="Joins scripts, characters and sessions into ordered stories, and sets them to music.",
    settings=StoryFactorySettings,
    state=StoryFactoryState,
    first_steps=[
        "bedplate fountain example -o romeo.fountain && bedplate fountain import romeo.fountain",
        "curl '{url}/stories?scriptId=1'",
    ],
    problems=message_policy(),
    contract=bind_contract("story_factory_api", operations, Path(__file__).parent / "schemas.py"),
)
