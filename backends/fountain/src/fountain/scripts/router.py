from bedplate.contracts import Operations
from bedplate.database.dependencies import Autocommit, ReadSession, WriteSession
from fountain.common.router import json_array
from fountain.common.wiring import CurrentDatabase, CurrentSequence
from fountain.scripts import heading_order, service
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
from fountain.scripts.serializers import (
    to_element,
    to_heading,
    to_heading_response,
    to_script,
    to_script_response,
    to_structure,
)
from fountain.scripts.wiring import ElementId, First, HeadingId, HeadingIdInQuery, Last, ScriptId

operations = Operations()
_REORDERED = "Reorder successful."


@operations.handles("createScript")
async def create_script(
    new: ScriptRequest, database: CurrentDatabase, sequence: CurrentSequence
) -> ScriptResponse:
    """Store a script."""
    return to_script_response(await service.create(database, sequence, new))


@operations.handles("listScripts")
async def list_scripts(session: ReadSession) -> list[Script]:
    """Return all scripts."""
    return await json_array(service.scripts(session), to_script)


@operations.handles("getScript")
async def get_script(script_id: ScriptId, session: ReadSession) -> Script:
    """Return one script."""
    return to_script(await service.get(session, script_id))


@operations.handles("updateScript")
async def update_script(
    script_id: ScriptId, update: ScriptUpdateRequest, session: Autocommit
) -> ScriptResponse:
    """Change a script."""
    return to_script_response(await service.change(session, script_id, update))


@operations.handles("getScriptStructure")
async def get_script_structure(script_id: ScriptId, session: ReadSession) -> ScriptStructure:
    """Return a script, its headings and its elements."""
    return to_structure(await service.structure(session, script_id))


@operations.handles("addSectionHeading")
async def add_section_heading(
    script_id: ScriptId,
    new: SectionHeadingRequest,
    database: CurrentDatabase,
    sequence: CurrentSequence,
) -> SectionHeadingResponse:
    """Store a heading."""
    return to_heading_response(await service.add_heading(database, sequence, script_id, new))


@operations.handles("listSectionHeadings")
async def list_section_headings(script_id: ScriptId, session: ReadSession) -> list[SectionHeading]:
    """Return all headings of a script."""
    return [to_heading(row) for row in await service.headings(session, script_id)]


@operations.handles("getSectionHeading")
async def get_section_heading(
    script_id: ScriptId, heading_id: HeadingId, session: ReadSession
) -> SectionHeading:
    """Return one heading."""
    return to_heading(await service.get_heading(session, script_id, heading_id))


@operations.handles("updateSectionHeading")
async def update_section_heading(
    script_id: ScriptId,
    heading_id: HeadingIdInQuery,
    update: SectionHeadingUpdateRequest,
    session: Autocommit,
) -> SectionHeadingResponse:
    """Change a heading."""
    row = await service.change_heading(session, script_id, heading_id, update)
    return to_heading_response(row)


@operations.handles("updateSectionHeadingInPath")
async def update_section_heading_in_path(
    script_id: ScriptId,
    heading_id: HeadingId,
    update: SectionHeadingUpdateRequest,
    session: Autocommit,
) -> SectionHeadingResponse:
    """Change a heading."""
    return await update_section_heading(script_id, heading_id, update, session)


@operations.handles("reorderSectionHeadings")
async def reorder_section_headings(
    script_id: ScriptId,
    order: ReorderRequest,
    database: CurrentDatabase,
    sequence: CurrentSequence,
) -> SuccessResponse:
    """Exchange the numbers of headings."""
    await heading_order.reorder(database, sequence, script_id, order.elements)
    return SuccessResponse(message=_REORDERED)


@operations.handles("placeElement")
async def place_element(
    script_id: ScriptId, new: ElementRequest, session: WriteSession
) -> ScriptElement:
    """Place an element."""
    return to_element(await service.place(session, script_id, new))


@operations.handles("listElements")
async def list_elements(
    script_id: ScriptId, session: ReadSession, first: First = None, last: Last = None
) -> list[ScriptElement]:
    """Return elements in order."""
    return [to_element(row) for row in await service.elements(session, script_id, first, last)]


@operations.handles("getElement")
async def get_element(
    script_id: ScriptId, element_id: ElementId, session: ReadSession
) -> ScriptElement:
    """Return one element."""
    return to_element(await service.get_element(session, script_id, element_id))


@operations.handles("reorderScriptElements")
async def reorder_elements(
    script_id: ScriptId, order: ElementReorderRequest, session: WriteSession
) -> SuccessResponse:
    """Put the elements in another order."""
    await service.order_elements(session, script_id, order.element_ids)
    return SuccessResponse(message=_REORDERED)
