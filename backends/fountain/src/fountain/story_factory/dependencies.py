"""What operations ask for: numbers in a path or query, and the other services."""

from typing import Annotated

from fastapi import Depends, Path, Query
from fastapi.requests import HTTPConnection

from bedplate.contracts import ParameterInteger64
from fountain.story_factory.sources import Sources

ScriptId = Annotated[ParameterInteger64, Query(alias="scriptId")]
ScriptIdInPath = Annotated[ParameterInteger64, Path(alias="scriptId")]
StartSequence = Annotated[ParameterInteger64, Query(alias="startSequence")]
EndSequence = Annotated[ParameterInteger64, Query(alias="endSequence")]


def _sources(connection: HTTPConnection) -> Sources:
    state = connection.state
    return Sources(state.scripts, state.characters, state.sessions)


CurrentSources = Annotated[Sources, Depends(_sources)]
