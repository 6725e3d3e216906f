from typing import Annotated, Any

from fastapi import Path, Query
from pydantic.alias_generators import to_camel

from bedplate.contracts import Operations, ParameterInteger64
from bedplate.database import Row
from bedplate.database.dependencies import Autocommit, ReadSession, WriteSession
from fountain.common import chunks
from fountain.common.router import json_array, json_response, known_rows
from fountain.common.wiring import CurrentDatabase, CurrentSequence
from fountain.scripts import heading_order, repository, schemas, service
from fountain.scripts.repository import PARTS, Structure

operations = Operations()
ScriptId = Annotated[ParameterInteger64, Path(alias="scriptId")]
HeadingId = Annotated[ParameterInteger64, Path(alias="headingId")]
ElementId = Annotated[ParameterInteger64, Path(alias="elementId")]
HeadingIdInQuery = Annotated[ParameterInteger64, Query(alias="headingId")]
First = Annotated[ParameterInteger64 | None, Query(alias="from")]
Last = Annotated[ParameterInteger64 | None, Query(alias="to")]
_REORDERED = "Reorder successful."
_PARTS = [(part, to_camel(part)) for part in PARTS]


def _without_nulls(row: Row, *names: str) -> dict[str, Any]:
    """Return the named values that are set: the contract has no null."""
    return {name: row[name] for name in names if row[name] is not None}


# Rows were validated when they were stored; `model_construct` doesn't do it again.
def to_script(row: Row) -> schemas.Script:
    """Return the response for a script that is read."""
    fields = _without_nulls(row, "title", "author", "description", "sequence_number")
    return schemas.Script.model_construct(script_id=row["id"], **fields)


def to_script_response(row: Row) -> schemas.ScriptResponse:
    """Return the response for a script that was created or changed."""
    return schemas.ScriptResponse(script_id=row["id"], sequence_number=row["sequence_number"])


def to_heading(row: Row) -> schemas.SectionHeading:
    """Return the response for a heading that is read."""
    return schemas.SectionHeading.model_construct(
        heading_id=row["id"],
        script_id=row["script_id"],
        title=row["title"],
        sequence_number=row["sequence_number"],
    )


def to_heading_response(row: Row) -> schemas.SectionHeadingResponse:
    """Return the response for a heading that was created or changed."""
    return schemas.SectionHeadingResponse(
        heading_id=row["id"], script_id=row["script_id"], sequence_number=row["sequence_number"]
    )


def to_element(row: Row) -> schemas.ScriptElement:
    """Return the response for an element."""
    return schemas.ScriptElement(**_element(row))


def _element(row: Row) -> dict[str, Any]:
    members = {"elementId": row["id"], "scriptId": row["script_id"], "position": row["position"]}
    for column, member in _PARTS:
        if (value := row[column]) is not None:
            members[member] = value
    return members


def _heading(row: Row) -> dict[str, Any]:
    return to_heading(row).model_dump(by_alias=True)


async def structure_json(structure: Structure) -> bytes:
    """Return the JSON of a script with its headings and elements."""
    script = to_script(structure.script).model_dump_json(by_alias=True).encode()
    sections = await chunks.json_array(structure.headings, _heading)
    elements = await chunks.json_array(structure.elements, _element)
    return b'{"script":%b,"sections":%b,"elements":%b}' % (script, sections, elements)


@operations.handles("createScript")
async def create_script(
    new: schemas.ScriptRequest, database: CurrentDatabase, sequence: CurrentSequence
) -> schemas.ScriptResponse:
    """Store a script."""
    return to_script_response(await service.create(database, sequence, new))


@operations.handles("listScripts")
async def list_scripts(session: ReadSession) -> list[schemas.Script]:
    """Return all scripts."""
    return await json_array(repository.scripts(session), to_script)


@operations.handles("getScript")
async def get_script(script_id: ScriptId, session: ReadSession) -> schemas.Script:
    """Return one script."""
    return to_script(await service.get(session, script_id))


@operations.handles("updateScript")
async def update_script(
    script_id: ScriptId, update: schemas.ScriptUpdateRequest, session: Autocommit
) -> schemas.ScriptResponse:
    """Change a script."""
    return to_script_response(await service.change(session, script_id, update))


@operations.handles("getScriptStructure")
async def get_script_structure(
    script_id: ScriptId, session: ReadSession
) -> schemas.ScriptStructure:
    """Return a script, its headings and its elements."""
    content = await structure_json(await service.structure(session, script_id))
    response: schemas.ScriptStructure = json_response(content)
    return response


@operations.handles("addSectionHeading")
async def add_section_heading(
    script_id: ScriptId,
    new: schemas.SectionHeadingRequest,
    database: CurrentDatabase,
    sequence: CurrentSequence,
) -> schemas.SectionHeadingResponse:
    """Store a heading."""
    return to_heading_response(await service.add_heading(database, sequence, script_id, new))


@operations.handles("listSectionHeadings")
async def list_section_headings(
    script_id: ScriptId, session: ReadSession
) -> list[schemas.SectionHeading]:
    """Return all headings of a script."""
    return [to_heading(row) for row in await service.headings(session, script_id)]


@operations.handles("getSectionHeading")
async def get_section_heading(
    script_id: ScriptId, heading_id: HeadingId, session: ReadSession
) -> schemas.SectionHeading:
    """Return one heading."""
    return to_heading(await service.get_heading(session, script_id, heading_id))


@operations.handles("updateSectionHeading")
async def update_section_heading(
    script_id: ScriptId,
    heading_id: HeadingIdInQuery,
    update: schemas.SectionHeadingUpdateRequest,
    session: Autocommit,
) -> schemas.SectionHeadingResponse:
    """Change a heading."""
    row = await service.change_heading(session, script_id, heading_id, update)
    return to_heading_response(row)


@operations.handles("updateSectionHeadingInPath")
async def update_section_heading_in_path(
    script_id: ScriptId,
    heading_id: HeadingId,
    update: schemas.SectionHeadingUpdateRequest,
    session: Autocommit,
) -> schemas.SectionHeadingResponse:
    """Change a heading."""
    return await update_section_heading(script_id, heading_id, update, session)


@operations.handles("reorderSectionHeadings")
async def reorder_section_headings(
    script_id: ScriptId,
    order: schemas.ReorderRequest,
    database: CurrentDatabase,
    sequence: CurrentSequence,
) -> schemas.SuccessResponse:
    """Exchange the numbers of headings."""
    await heading_order.reorder(database, sequence, script_id, order.elements)
    return schemas.SuccessResponse(message=_REORDERED)


@operations.handles("placeElement")
async def place_element(
    script_id: ScriptId, new: schemas.ElementRequest, session: WriteSession
) -> schemas.ScriptElement:
    """Place an element."""
    return to_element(await service.place(session, script_id, new))


@operations.handles("listElements")
async def list_elements(
    script_id: ScriptId, session: ReadSession, first: First = None, last: Last = None
) -> list[schemas.ScriptElement]:
    """Return elements in order."""
    rows = await service.elements(session, script_id, first, last)
    response: list[schemas.ScriptElement] = await known_rows(rows, _element)
    return response


@operations.handles("getElement")
async def get_element(
    script_id: ScriptId, element_id: ElementId, session: ReadSession
) -> schemas.ScriptElement:
    """Return one element."""
    return to_element(await service.get_element(session, script_id, element_id))


@operations.handles("reorderScriptElements")
async def reorder_elements(
    script_id: ScriptId, order: schemas.ElementReorderRequest, session: WriteSession
) -> schemas.SuccessResponse:
    """Put the elements in another order."""
    await service.order_elements(session, script_id, order.element_ids)
    return schemas.SuccessResponse(message=_REORDERED)
