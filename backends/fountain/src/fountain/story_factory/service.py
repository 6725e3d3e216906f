"""What the Story Factory does: read a moment's structure, look up what it names, join both.

The order of a story is that of one answer, so a reorder meanwhile is in it wholly or not at all.
Nothing here knows HTTP.
"""

import asyncio
from collections.abc import Callable

from fountain.story_factory import assembly
from fountain.story_factory.exceptions import ScriptNotFound, SequencesNotFound
from fountain.story_factory.orchestration import Play
from fountain.story_factory.schemas import FullStory, Orchestration, StorySequence
from fountain.story_factory.sources import Sources


async def full_story(sources: Sources, script_id: int, files: Orchestration) -> FullStory:
    """Return a script's whole story. Raises `ScriptNotFound`, `UpstreamUnavailable`."""
    structure = await sources.structure(script_id)
    objects = await sources.objects(structure.elements)
    return assembly.full_story(structure, objects, files)


async def story_sequences(sources: Sources, script_id: int, first: int, last: int) -> StorySequence:
    """Return the elements of a script from `first` to `last`, both included.

    Raises `SequencesNotFound`, also when the range is empty or backwards, `UpstreamUnavailable`.
    """
    first = max(first, 1)
    if first > last:
        raise SequencesNotFound
    try:
        elements = await sources.elements(script_id, first, last)
    except ScriptNotFound:
        raise SequencesNotFound from None
    if not elements:
        raise SequencesNotFound
    objects = await sources.objects(elements)
    found = assembly.story_elements(elements, objects)
    return StorySequence(script_id=script_id, sequences=found)


async def file(sources: Sources, script_id: int, render: Callable[[Play], bytes]) -> bytes:
    """Return a file that is made from a script's story, beside the event loop.

    Raises `ScriptNotFound`, `UpstreamUnavailable`.
    """
    structure = await sources.structure(script_id)
    objects = await sources.objects(structure.elements, contexts=False)
    return await asyncio.to_thread(lambda: render(assembly.play(structure, objects)))
