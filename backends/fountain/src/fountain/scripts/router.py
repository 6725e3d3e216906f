"""The operations of the contract. No SQL, no rules."""

from bedplate.contracts import Operations
from bedplate.database.dependencies import ReadSession, WriteSession
from fountain.listing import listed
from fountain.scripts import answers, order, repository, service
from fountain.scripts.dependencies import (
    CurrentDatabase,
    CurrentSequence,
    ElementId,
    First,
    HeadingId,
    HeadingIdInQuery,
    Last,
    ScriptId,
)
from fountain.scripts.schemas import (
    ElementReorderRequest,
    ElementRequest,
    ReorderRequest,
    Script,
    ScriptElement,
    ScriptRequest,
    ScriptResponse,
    ScriptStructure,
    ScriptUpdateRequest,
    SectionHeading,
    SectionHeadingRequest,
    SectionHeadingResponse,
    SectionHeadingUpdateRequest,
    SuccessResponse,
)

operations = Operations()
_REORDERED = "Reorder successful."


@operations.handles("createScript")
async def create_script(
    new: ScriptRequest, database: CurrentDatabase, sequence: CurrentSequence
) -> ScriptResponse:
    """Store a script."""
    script_id, number = await service.create(database, sequence, new)
    return ScriptResponse(script_id=script_id, sequence_number=number)


@operations.handles("listScripts")
async def list_scripts(session: ReadSession) -> list[Script]:
    """Return every script."""
    return await listed(repository.every_script(session), answers.script)


@operations.handles("getScript")
async def get_script(script_id: ScriptId, session: ReadSession) -> Script:
    """Return one script."""
    return answers.script(await service.get(session, script_id))


@operations.handles("updateScript")
async def update_script(
    script_id: ScriptId, sent: ScriptUpdateRequest, session: WriteSession
) -> ScriptResponse:
    """Change what was sent."""
    row = await service.change(session, script_id, sent)
    return ScriptResponse(script_id=row["id"], sequence_number=row["sequence_number"])


@operations.handles("getScriptStructure")
async def get_script_structure(script_id: ScriptId, session: ReadSession) -> ScriptStructure:
    """Return a script, its headings and its elements."""
    return answers.structure(await service.structure(session, script_id))


@operations.handles("addSectionHeading")
async def add_section_heading(
    script_id: ScriptId,
    new: SectionHeadingRequest,
    database: CurrentDatabase,
    sequence: CurrentSequence,
) -> SectionHeadingResponse:
    """Store a heading."""
    heading_id, number = await service.add_heading(database, sequence, script_id, new)
    return SectionHeadingResponse(
        heading_id=heading_id, script_id=script_id, sequence_number=number
    )


@operations.handles("listSectionHeadings")
async def list_section_headings(script_id: ScriptId, session: ReadSession) -> list[SectionHeading]:
    """Return every heading of a script."""
    return [answers.heading(row) for row in await service.headings(session, script_id)]


@operations.handles("getSectionHeading")
async def get_section_heading(
    script_id: ScriptId, heading_id: HeadingId, session: ReadSession
) -> SectionHeading:
    """Return one heading."""
    return answers.heading(await service.get_heading(session, script_id, heading_id))


@operations.handles("updateSectionHeading")
async def update_section_heading(
    script_id: ScriptId,
    heading_id: HeadingIdInQuery,
    sent: SectionHeadingUpdateRequest,
    session: WriteSession,
) -> SectionHeadingResponse:
    """Change what was sent."""
    row = await service.change_heading(session, script_id, heading_id, sent)
    return answers.heading_response(row)


@operations.handles("updateSectionHeadingInPath")
async def update_section_heading_in_path(
    script_id: ScriptId,
    heading_id: HeadingId,
    sent: SectionHeadingUpdateRequest,
    session: WriteSession,
) -> SectionHeadingResponse:
    """Change what was sent."""
    return await update_section_heading(script_id, heading_id, sent, session)


@operations.handles("reorderSectionHeadings")
async def reorder_section_headings(
    script_id: ScriptId,
    wanted: ReorderRequest,
    database: CurrentDatabase,
    sequence: CurrentSequence,
) -> SuccessResponse:
    """Let headings exchange their numbers."""
    await order.reorder(database, sequence, script_id, wanted.elements)
    return SuccessResponse(message=_REORDERED)


@operations.handles("placeElement")
async def place_element(
    script_id: ScriptId, new: ElementRequest, session: WriteSession
) -> ScriptElement:
    """Place an element."""
    return answers.element(await service.place(session, script_id, new))


@operations.handles("listElements")
async def list_elements(
    script_id: ScriptId, session: ReadSession, first: First = None, last: Last = None
) -> list[ScriptElement]:
    """Return elements in order."""
    return [answers.element(row) for row in await service.elements(session, script_id, first, last)]


@operations.handles("getElement")
async def get_element(
    script_id: ScriptId, element_id: ElementId, session: ReadSession
) -> ScriptElement:
    """Return one element."""
    return answers.element(await service.get_element(session, script_id, element_id))


@operations.handles("reorderScriptElements")
async def reorder_elements(
    script_id: ScriptId, wanted: ElementReorderRequest, session: WriteSession
) -> SuccessResponse:
    """Put the elements in another order."""
    await service.order_elements(session, script_id, wanted.element_ids)
    return SuccessResponse(message=_REORDERED)
