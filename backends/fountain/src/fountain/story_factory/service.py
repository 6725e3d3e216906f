"""Reads a script's structure, looks up what it refers to, and joins both.

The order of a story comes from one answer, so a concurrent reorder is in it wholly or not at all.
"""

import asyncio
from collections.abc import Callable

from fountain.story_factory import assembly
from fountain.story_factory.exceptions import ScriptNotFound, SequencesNotFound
from fountain.story_factory.orchestration import Play
from fountain.story_factory.schemas import Orchestration
from fountain.story_factory.sources import Sources


async def full_story(sources: Sources, script_id: int, files: Orchestration) -> bytes:
    """Return the JSON of a whole story. Raises `ScriptNotFound` and `UpstreamUnavailable`."""
    structure = await sources.structure(script_id)
    objects = await sources.objects(structure.elements)
    return await assembly.full_story(structure, objects, files)


async def story_sequences(sources: Sources, script_id: int, first: int, last: int) -> bytes:
    """Return the JSON of the elements of a script from `first` to `last`, both included.

    Raises `SequencesNotFound`, also for an empty or reversed range, and `UpstreamUnavailable`.
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
    return await assembly.story_sequence(script_id, elements, objects)


async def file(sources: Sources, script_id: int, render: Callable[[Play], bytes]) -> bytes:
    """Return a file made from a script's story, in a thread.

    Raises `ScriptNotFound` and `UpstreamUnavailable`.
    """
    structure = await sources.structure(script_id)
    objects = await sources.objects(structure.elements, contexts=False)
    return await asyncio.to_thread(lambda: render(assembly.play(structure, objects)))
