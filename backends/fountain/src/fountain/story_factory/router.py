import hashlib
from collections.abc import Callable
from typing import Annotated

from fastapi import Path, Query, Request, Response

from bedplate.conditional import IfNoneMatch
from bedplate.contracts import Operations, ParameterInteger64
from bedplate.state import from_state
from fountain.common.router import json_response
from fountain.story_factory import service
from fountain.story_factory.orchestration import Play, csound_file, lilypond_file, midi_file
from fountain.story_factory.schemas import FullStory, Orchestration, StorySequence
from fountain.story_factory.sources import Sources

operations = Operations()
ScriptId = Annotated[ParameterInteger64, Query(alias="scriptId")]
ScriptIdInPath = Annotated[ParameterInteger64, Path(alias="scriptId")]
StartSequence = Annotated[ParameterInteger64, Query(alias="startSequence")]
EndSequence = Annotated[ParameterInteger64, Query(alias="endSequence")]
CurrentSources = Annotated[Sources, from_state(Sources)]


@operations.handles("getFullStory")
async def get_full_story(
    script_id: ScriptId, request: Request, sources: CurrentSources
) -> FullStory:
    """Return a whole story."""
    # Paths on this host (RFC 3986, section 4.2) work below a prefix too.
    folder = f"{request.scope.get('root_path', '')}/files/{script_id}"
    files = Orchestration(
        csound_file_path=f"{folder}/sound.csd",
        lily_pond_file_path=f"{folder}/sheet.ly",
        midi_file_path=f"{folder}/music.mid",
    )
    story: FullStory = json_response(await service.full_story(sources, script_id, files))
    return story


@operations.handles("getStorySequences")
async def get_story_sequences(
    script_id: ScriptId, first: StartSequence, last: EndSequence, sources: CurrentSources
) -> StorySequence:
    """Return part of a story."""
    content = await service.story_sequences(sources, script_id, first, last)
    part: StorySequence = json_response(content)
    return part


def _handle_file(
    operation_id: str, render: Callable[[Play], bytes], name: str, media_type: str
) -> None:
    @operations.handles(operation_id)
    async def get_file(
        script_id: ScriptIdInPath, sources: CurrentSources, condition: IfNoneMatch
    ) -> Response:
        """Return a file of the story's music."""
        content = await service.file(sources, script_id, render)
        etag = f'"{hashlib.blake2b(content, digest_size=16).hexdigest()}"'
        if condition.not_modified(etag):
            return Response(status_code=304, headers={"ETag": etag})
        headers = {"ETag": etag, "Content-Disposition": f'inline; filename="{name}"'}
        return Response(content, headers=headers, media_type=media_type)


_handle_file("getCsoundFile", csound_file, "sound.csd", "text/x-csound; charset=utf-8")
_handle_file("getLilyPondFile", lilypond_file, "sheet.ly", "text/x-lilypond; charset=utf-8")
_handle_file("getMidiFile", midi_file, "music.mid", "audio/midi")
