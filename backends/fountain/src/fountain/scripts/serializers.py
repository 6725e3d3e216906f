"""Responses from rows, which were validated when they were stored."""

from typing import Any

from bedplate.database import Row
from fountain.scripts.repository import PARTS, Structure
from fountain.scripts.schemas import (
    Script,
    ScriptElement,
    ScriptResponse,
    ScriptStructure,
    SectionHeading,
    SectionHeadingResponse,
)


def _without_nulls(row: Row, *names: str) -> dict[str, Any]:
    """Return the named values that are set: the contract has no null."""
    return {name: row[name] for name in names if row[name] is not None}


def to_script(row: Row) -> Script:
    """Return the response for a script that is read."""
    fields = _without_nulls(row, "title", "author", "description", "sequence_number")
    return Script.model_construct(script_id=row["id"], **fields)


def to_script_response(row: Row) -> ScriptResponse:
    """Return the response for a script that was created or changed."""
    return ScriptResponse(script_id=row["id"], sequence_number=row["sequence_number"])


def to_heading(row: Row) -> SectionHeading:
    """Return the response for a heading that is read."""
    return SectionHeading.model_construct(
        heading_id=row["id"],
        script_id=row["script_id"],
        title=row["title"],
        sequence_number=row["sequence_number"],
    )


def to_heading_response(row: Row) -> SectionHeadingResponse:
    """Return the response for a heading that was created or changed."""
    return SectionHeadingResponse(
        heading_id=row["id"], script_id=row["script_id"], sequence_number=row["sequence_number"]
    )


def to_element(row: Row) -> ScriptElement:
    """Return the response for an element."""
    return ScriptElement.model_construct(
        element_id=row["id"],
        script_id=row["script_id"],
        position=row["position"],
        **_without_nulls(row, *PARTS),
    )


def to_structure(structure: Structure) -> ScriptStructure:
    """Return the response for a script with its headings and elements."""
    return ScriptStructure.model_construct(
        script=to_script(structure.script),
        sections=[to_heading(row) for row in structure.headings],
        elements=[to_element(row) for row in structure.elements],
    )
