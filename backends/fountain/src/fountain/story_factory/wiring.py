import contextlib
from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import Path, Query

from bedplate.clients.client import ServiceClient
from bedplate.contracts import ParameterInteger64
from bedplate.state import from_state
from fountain.story_factory.sources import Sources

ScriptId = Annotated[ParameterInteger64, Query(alias="scriptId")]
ScriptIdInPath = Annotated[ParameterInteger64, Path(alias="scriptId")]
StartSequence = Annotated[ParameterInteger64, Query(alias="startSequence")]
EndSequence = Annotated[ParameterInteger64, Query(alias="endSequence")]
CurrentSources = Annotated[Sources, from_state(Sources)]


@contextlib.asynccontextmanager
async def open_sources(
    scripts: ServiceClient, characters: ServiceClient, sessions: ServiceClient
) -> AsyncIterator[Sources]:
    """Yield the services that know what a story consists of."""
    yield Sources(scripts, characters, sessions)
